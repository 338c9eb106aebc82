import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { StorageError } from "../errors.ts";
import { counted, formatDuration } from "../util/format.ts";
import { deferred } from "../util/promises.ts";
import type { Clock } from "../util/time/clock.ts";
import type { ServerTls } from "./access/certificate.ts";
import { PasswordCheck } from "./access/password-check.ts";
import { ConnectionTable } from "./connections/connection-table.ts";
import { type HttpEntry, httpEntry } from "./connections/http-entry.ts";
import type { Listener } from "./connections/listen.ts";
import { Slots } from "./connections/slots.ts";
import type { OpenedRegistry } from "./opened-registry.ts";
import { PageSite } from "./page/page-site.ts";
import { respond, type ServerParts } from "./respond.ts";
import type { ServerSettings } from "./serve-options.ts";
import { serverWatch } from "./server-watch.ts";
import { plainAddress } from "./trusted-host.ts";
import { oncePerMinute } from "./watch/once-per-minute.ts";
import { RequestCounts } from "./watch/request-counts.ts";

const SWEEP_MS = 1000;
/** Each needs one descriptor, sometimes two, and up to 1 MiB. */
const MAX_TRANSFERS = 128;
const MAX_LOOKUPS = 32;

export interface ServerWorkOptions extends Pick<ServerSettings, "hosts" | "accounts"> {
  readonly tls: ServerTls | undefined;
  readonly onEvent: ServerParts["onEvent"];
  readonly clock: Clock;
}

/** What a server does with connections, from the first to the last one. */
export class ServerWork {
  readonly #opened: OpenedRegistry;
  readonly #clock: Clock;
  readonly #parts: ServerParts;
  readonly #entry: HttpEntry;
  readonly #running = new Set<Promise<void>>();
  readonly #stopSweeping: () => void;

  constructor(opened: OpenedRegistry, { hosts, accounts, tls, onEvent, clock }: ServerWorkOptions) {
    const { registry, store } = opened;
    const connections = new ConnectionTable(clock.now);
    const transfers = new Slots(MAX_TRANSFERS, () => connections.cutSlowest());
    const counts = new RequestCounts();
    const onRefused = oncePerMinute(clock.now, (remoteAddress, found) =>
      onEvent?.({ kind: "connection", remoteAddress, found }),
    );
    const shape = { isReadOnly: store === undefined, isTls: tls !== undefined, isPrivate: accounts !== undefined };
    this.#opened = opened;
    this.#clock = clock;
    this.#parts = {
      ...{ hosts, registry, store, connections, transfers, counts, onEvent, onRefused },
      lookups: new Slots(MAX_LOOKUPS),
      passwords: accounts === undefined ? undefined : new PasswordCheck(accounts),
      pages: new PageSite(registry, { ...shape, store: opened.name }),
      watch: serverWatch({ registry, connections, transfers, counts, faultOf: opened.fault }),
    };
    this.#entry = httpEntry({
      tls,
      connections,
      onRequest: (request, response) => this.#run(request, response),
      onFault: ({ remoteAddress }, found) => onRefused(plainAddress(remoteAddress), found),
    });
    this.#stopSweeping = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** As `OpenedRegistry`. */
  get lost(): Promise<StorageError> | undefined {
    return this.#opened.lost;
  }

  take(socket: Socket): void {
    if (this.#parts.connections.add(socket)) this.#entry.take(socket);
  }

  /** Gives running requests `waitMs` to end, cuts the rest, and waits for the work that they started. */
  async close(listeners: readonly Listener[], waitMs: number): Promise<void> {
    const { connections, passwords } = this.#parts;
    const closed = listeners.map(async listener => await listener.close());
    const { size } = this.#running;
    if (waitMs > 0 && size > 0) {
      const have = `${counted(size, "request")} ${size === 1 ? "has" : "have"}`;
      this.#parts.onEvent?.({ kind: "note", message: `Stopping: ${have} ${formatDuration(waitMs / 1000)} to end` });
    }
    if (waitMs > 0) await atMost(connections.drain(), waitMs, this.#clock);
    this.#stopSweeping();
    connections.cutAll();
    await Promise.all(closed);
    await Promise.all(this.#running);
    await passwords?.[Symbol.asyncDispose]();
    await this.#opened.close();
  }

  #run(request: IncomingMessage, response: ServerResponse): void {
    const { connections } = this.#parts;
    const task = connections.run(request, response, async () => await respond(request, response, this.#parts));
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }

  #sweep(): void {
    const { connections, transfers, store } = this.#parts;
    connections.sweep();
    for (let { waiting } = transfers; waiting > 0 && connections.cutSlowest(); ) waiting -= 1;
    // What it cannot remove now is removed at the next start.
    void store?.uploads.sweep().catch(() => undefined);
  }
}

async function atMost(task: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const over = deferred<void>();
  const stop = clock.every(ms, over.resolve);
  await Promise.race([task, over.promise]);
  stop();
}
