import { lastChance, lateFault } from "../../util/time/last-chance.ts";

/** What of a `ClientRequest` counts. */
export interface IdleRequest {
  readonly socket: {
    readonly bytesRead: number;
    readonly bytesWritten: number;
    /** Bytes that the system has not taken yet. */
    readonly writableLength: number;
  } | null;
  setTimeout(ms: number): unknown;
  on(event: "timeout", listener: () => void): unknown;
}

/**
 * Ends a request on whose connection nothing moves, while the other side is awaited. As long as this side has nothing to
 * send (a rate limit, a slow source), the silence is its own, and the deadline starts again with the next byte.
 *
 * @param isOwnTurn whether the next part of the body is awaited.
 * @param onLate is called with the fault.
 */
export function limitIdle(
  request: IdleRequest,
  waitMs: number,
  isOwnTurn: () => boolean,
  onLate: (fault: Error) => void,
): void {
  const moved = (): string => {
    const { bytesRead = 0, bytesWritten = 0, writableLength = 0 } = request.socket ?? {};
    return [bytesRead, bytesWritten, writableLength, isOwnTurn()].join();
  };
  // A callback of `setTimeout` is called once only; a process may stand still several times.
  request.on("timeout", () => {
    if (!isOwnTurn()) lastChance(moved, () => onLate(lateFault("no byte came in time")));
  });
  request.setTimeout(waitMs);
}
