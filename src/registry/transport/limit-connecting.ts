import type { Socket } from "node:net";
import { startDeadline } from "../../util/time/deadline.ts";

const CONNECT_MS = 30_000;

/** Ends the wait for a host that does not answer at all; the system alone would wait for minutes. */
export function limitConnecting(socket: Socket, onTimeout: (fault: Error) => void): void {
  if (!socket.connecting) return;
  const fault = Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT", syscall: "connect" });
  const stop = startDeadline(CONNECT_MS, () => onTimeout(fault));
  socket.once("connect", stop);
  socket.once("close", stop);
}
