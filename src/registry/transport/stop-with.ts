import type { ClientRequest } from "node:http";

/** As the option `signal` of a request, which watches the request with a stream's means, and so costs much more. */
export function stopWith(signal: AbortSignal, outgoing: ClientRequest): void {
  const stop = (): void => {
    const fault = new Error("the request was stopped", { cause: signal.reason });
    outgoing.destroy(Object.assign(fault, { code: "ABORT_ERR" }));
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  outgoing.once("close", () => signal.removeEventListener("abort", stop));
}
