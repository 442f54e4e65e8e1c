import { setTimeout as delay } from 'node:timers/promises';
import type { SeenRequest } from '../../support/http-proxy.ts';
import type { RunningWarden } from '../support/warden-process.ts';
import type { Moment } from './moment.ts';
import type { SignalSite } from './site.ts';

const lookEveryMs = 2;

/**
 * True once a backup that was just started has come to a moment, false if it ended before. What it is at is known by what
 * passes through the proxies.
 */
export async function reachMoment(moment: Moment, site: SignalSite, warden: RunningWarden): Promise<boolean> {
  const over = new AbortController();
  const ended = warden.ended.then(() => false);
  try {
    const reached = reachStage(moment, site, warden, over.signal).then(() => delay(moment.delayMs, true));
    return await Promise.race([reached, ended]);
  } finally {
    over.abort();
  }
}

async function reachStage(
  { stage, streamedBytes, part }: Moment,
  { s3Proxy, etcdProxy }: SignalSite,
  warden: RunningWarden,
  over: AbortSignal,
): Promise<void> {
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!over.aborted && !isReached()) await delay(lookEveryMs);
  };
  const arrival = async (matches: (request: SeenRequest) => boolean): Promise<void> => {
    await s3Proxy.arrival(matches);
  };
  const connections = etcdProxy.connections();
  const downstreamBytes = etcdProxy.downstreamBytes();
  let partsSeen = 0;
  let manifestsSeen = 0;
  switch (stage) {
    case 'start':
      return;
    case 'connect':
      return until(() => etcdProxy.connections() > connections);
    case 'stream':
      return until(() => etcdProxy.downstreamBytes() - downstreamBytes > streamedBytes);
    case 'begin':
      return arrival(({ operation }) => operation === 'CreateMultipartUpload');
    case 'part':
      return arrival(({ operation }) => operation === 'UploadPart' && ++partsSeen === part);
    case 'complete':
      return arrival(({ operation }) => operation === 'CompleteMultipartUpload');
    case 'manifest':
      return arrival(isManifest);
    case 'prune':
      return arrival((request) => (isManifest(request) ? ++manifestsSeen > 1 : manifestsSeen > 0));
    case 'exit':
      return until(() => warden.printed().stdout !== '');
  }
}

const isManifest = ({ operation, url }: SeenRequest): boolean =>
  operation === 'PutObject' && url.pathname.endsWith('/manifest.json');
