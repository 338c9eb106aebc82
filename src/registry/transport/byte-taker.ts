/** Where the bytes of a body go. */
export interface ByteTaker {
  /**
   * Takes bytes. They are gone after the call, or after the promise if it returns one; until then the socket rests. The
   * promise must settle soon after the connection has been destroyed.
   */
  take(part: Uint8Array): Promise<void> | undefined;
  /** Memory that the next bytes may be read into, to be passed to `take` where they are; undefined if there is none now. */
  room?(): Uint8Array | undefined;
}

/** For a body that is not wanted. */
export const SKIP: ByteTaker = { take: () => undefined };
