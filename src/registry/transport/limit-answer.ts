import type { ClientRequest } from "node:http";
import { startDeadline } from "../../util/time/deadline.ts";

/** From the first byte of an answer's head to its last. */
export const HEAD_MS = 60_000;
/** A registry that is busy with a big blob may say so every few seconds. */
const MAX_INTERIM_ANSWERS = 256;

/**
 * Ends a request whose answer does not come, however busy its server seems: interim answers (1xx) and headers that drip
 * are no progress, and a change of protocol is no answer (RFC 9110, sections 15.2 and 7.8).
 *
 * @param waitMs from the last byte of the request to the end of the answer's head.
 * @param onFault called at most once, when the request has been ended.
 */
export function limitAnswer(outgoing: ClientRequest, waitMs: number, onFault: (fault: Error) => void): void {
  let endWait: (() => void) | undefined;
  let endHead: (() => void) | undefined;
  let interimAnswers = 0;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    endWait?.();
    endHead?.();
  };
  const fail = (code: string, message: string): void => {
    if (isOver) return;
    end();
    const fault = Object.assign(new Error(message), { code });
    outgoing.destroy(fault);
    onFault(fault);
  };
  const onLate = (): void => fail("ETIMEDOUT", "no answer in time");
  const onData = (): void => {
    endHead ??= startDeadline(HEAD_MS, onLate);
  };
  outgoing.once("finish", () => {
    if (!isOver) endWait = startDeadline(waitMs, onLate);
  });
  outgoing.once("socket", socket => {
    // Before the parser, which reports what these bytes complete.
    socket.prependListener("data", onData);
    const leave = (): void => void socket.off("data", onData);
    outgoing.once("response", leave);
    outgoing.once("close", leave);
  });
  outgoing.on("information", () => {
    endHead?.();
    endHead = undefined;
    interimAnswers += 1;
    if (interimAnswers > MAX_INTERIM_ANSWERS) fail("EINTERIM", "too many interim answers");
  });
  outgoing.once("response", end);
  outgoing.once("upgrade", (_answer, socket) => {
    socket.destroy();
    fail("EUPGRADE", "status 101");
  });
  outgoing.once("close", () => {
    if (!isOver)
      onFault(Object.assign(new Error("the connection was closed without an answer"), { code: "ECONNRESET" }));
    end();
  });
}
