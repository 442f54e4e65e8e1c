/** Which page each page of the file hangs under, so that a second reference is found and both can be named. */
export class PageOwners {
  /** Owner plus one; 0: not reached. */
  readonly #owners: Uint32Array;

  constructor(pages: number) {
    this.#owners = new Uint32Array(pages);
  }

  /** Notes that `page` hangs under `owner`, or returns the owner that it already has. */
  claim(page: number, owner: number): number | undefined {
    const before = this.#owners[page]!;
    if (before !== 0) return before - 1;
    this.#owners[page] = owner + 1;
    return undefined;
  }

  isReached(page: number): boolean {
    return page < this.#owners.length && this.#owners[page] !== 0;
  }
}
