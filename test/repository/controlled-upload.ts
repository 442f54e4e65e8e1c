import type { Upload } from '../../src/ports/object-store.ts';
import type { Repository } from '../../src/ports/repository.ts';
import type { Lane } from '../../src/repository/fan-out.ts';
import { createMemoryStore } from '../support/memory-store.ts';

/** An upload whose every answer the test gives, when it wants to. */
export class ControlledUpload implements Upload {
  /** Blocks in the order in which they were handed over. */
  readonly written: Uint8Array[] = [];
  isAborted = false;
  /** Whether an abort never comes to an end, as on a mount that hangs. */
  hangsOnAbort = false;
  #answers: PromiseWithResolvers<void>[] = [];
  #isPrompt = false;

  /** From now on every call is answered at once. */
  answerAtOnce(): this {
    this.#isPrompt = true;
    return this;
  }

  write(block: Uint8Array): Promise<void> {
    this.written.push(block);
    return this.#answer();
  }

  complete(): Promise<void> {
    return this.#answer();
  }

  /** Answers the oldest call that waits. */
  succeed(): void {
    this.#answers.shift()?.resolve();
  }

  fail(error: unknown): void {
    this.#answers.shift()?.reject(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isAborted = true;
    if (this.hangsOnAbort) await new Promise<never>(() => undefined);
  }

  #answer(): Promise<void> {
    if (this.#isPrompt) return Promise.resolve();
    const answer = Promise.withResolvers<void>();
    this.#answers.push(answer);
    return answer.promise;
  }
}

export function laneOf(name: string, upload: Upload): Lane {
  const repository: Repository = { name, store: createMemoryStore(name) };
  return { repository, upload };
}
