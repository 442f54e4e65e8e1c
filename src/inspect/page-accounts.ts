import type { DamageList } from './damage.ts';
import type { FreelistReader } from './freelist.ts';
import type { PageOwners } from './page-owners.ts';

/** A stored freelist must not name a page that the trees use: etcd would write over it. */
export function reportUsedFreePages(freelist: FreelistReader, owners: PageOwners, damages: DamageList): void {
  for (const page of freelist.ids()) {
    if (!owners.isReached(page)) continue;
    damages.add('page-free-and-used', `freelist page ${freelist.page}`, `it names page ${page}, which a tree uses`);
  }
}

/** With a stored freelist every page is used, free, or part of the freelist; bbolt's own check asks for it too. */
export function reportLostPages(
  freelist: FreelistReader,
  owners: PageOwners,
  highWaterMark: number,
  damages: DamageList,
): void {
  const free = freelist.ids();
  let next = 0;
  for (let page = 2; page < highWaterMark; page++) {
    const isFree = free[next] === page;
    if (isFree) next++;
    const isFreelist = page >= freelist.page && page <= freelist.page + freelist.overflow;
    if (isFree || isFreelist || owners.isReached(page)) continue;
    damages.add('page-lost', `page ${page}`, 'neither a tree nor the freelist names it');
  }
}
