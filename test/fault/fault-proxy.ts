import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { AddressInfo } from "node:net";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { turns } from "../support/memory-blobs.ts";

/** What happens to one connection, counted in bytes from its beginning. */
export interface WireFault {
  /** "up": to the registry. */
  readonly way: "up" | "down";
  readonly at: number;
  /** "garbage" puts bytes in between; "stall" lets nothing more through, and keeps the connection open. */
  readonly kind: "reset" | "end" | "stall" | "garbage" | "repeat";
}

/** Publishes every client socket of this process. */
const CLIENT_SOCKETS = "net.client.socket";

/**
 * Breaks connections between a client of this process and a registry. A client does not have to wait out its timer when
 * a connection stalls: the proxy emits the timeout as soon as the client has read what came before.
 */
export class FaultProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  #port = 0;

  private constructor(target: string, next: () => WireFault | undefined) {
    const [host = "", port = ""] = target.split(":");
    subscribe(CLIENT_SOCKETS, this.#onClient);
    this.#server = createServer(client => {
      const registry = connectTcp({ host, port: Number(port) });
      const fault = next();
      for (const socket of [client, registry]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => this.#sockets.delete(socket));
      }
      const onStall = (): void => void this.#timeOut(client, fault?.way === "down" ? fault.at : 0);
      relay(client, registry, fault?.way === "up" ? fault : undefined, onStall);
      relay(registry, client, fault?.way === "down" ? fault : undefined, onStall);
    });
  }

  static async start(target: string, next: () => WireFault | undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, next);
    await new Promise<void>(resolve => proxy.#server.listen(0, "127.0.0.1", resolve));
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    unsubscribe(CLIENT_SOCKETS, this.#onClient);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  readonly #onClient = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#clients.add(socket);
    socket.once("close", () => this.#clients.delete(socket));
  };

  async #timeOut({ remotePort }: Socket, readBytes: number): Promise<void> {
    const client = [...this.#clients].find(({ localPort }) => localPort === remotePort);
    while (client?.destroyed === false && client.bytesRead < readBytes) await turns(1);
    while (client?.destroyed === false) {
      client.emit("timeout");
      await turns(1);
    }
  }
}

function relay(from: Socket, to: Socket, fault: WireFault | undefined, onStall: () => void): void {
  let seen = 0;
  let isDone = fault === undefined;
  let isStalled = false;
  from.on("data", (part: Buffer) => {
    if (isStalled) return;
    const before = seen;
    seen += part.length;
    if (isDone || fault === undefined || seen < fault.at) {
      pass(from, to, part);
      return;
    }
    isDone = true;
    const cut = Math.max(0, fault.at - before);
    pass(from, to, part.subarray(0, cut));
    isStalled = fault.kind === "stall";
    if (isStalled) onStall();
    else breakWire(from, to, fault, part, cut);
  });
  from.on("end", () => to.end());
  from.on("close", () => to.destroy());
}

function breakWire(from: Socket, to: Socket, { kind }: WireFault, part: Buffer, cut: number): void {
  if (kind === "garbage" || kind === "repeat") {
    pass(from, to, kind === "garbage" ? Buffer.from("\u0000garbage\r\n") : part.subarray(0, 40));
    pass(from, to, part.subarray(cut));
    return;
  }
  for (const socket of [from, to]) {
    if (kind === "reset") socket.resetAndDestroy();
    else socket.end();
  }
}

function pass(from: Socket, to: Socket, part: Buffer): void {
  if (part.length === 0 || to.destroyed || to.writableEnded || to.write(part)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
