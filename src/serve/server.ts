import { createServer, type Server } from "node:http";
import { basename, resolve } from "node:path";
import { StorageError, UsageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { FOLDER_PATH, observer, required, SIGNAL, TEXT, TEXTS, whole } from "../util/options/option-kinds.ts";
import { deferred } from "../util/promises.ts";
import { SystemFault, storageState } from "../util/system-fault.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ConnectionTable, MAX_CONNECTIONS } from "./connections/connection-table.ts";
import { Slots } from "./connections/slots.ts";
import type { DamageReport } from "./content/damage-log.ts";
import { RegistryFolder } from "./folder/registry-folder.ts";
import { listenFault } from "./listen-fault.ts";
import { PageSite } from "./page/page-site.ts";
import { respond, type ServeEvent } from "./respond.ts";
import { isLoopback, plainHost } from "./trusted-host.ts";
import { UploadTable } from "./uploads/upload-table.ts";

const HEADER_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
const SWEEP_MS = 1000;
/** Each needs one descriptor, sometimes two, and up to 1 MiB. */
const MAX_TRANSFERS = 128;
const MAX_LOOKUPS = 32;

/** Options of `serve`. */
export interface ServeOptions {
  /** Folder of the registry; it is created if it does not exist. */
  readonly store: string;
  /** Name or address to listen on. Default "127.0.0.1"; any other address is open to its network, without a login. */
  readonly host?: string | undefined;
  /**
   * Names that clients use for this registry. On loopback, they are accepted in addition to addresses and local names such
   * as localhost. On other addresses, any name is accepted if this is empty.
   */
  readonly allowHost?: string | readonly string[] | undefined;
  /** Default 0: a free port. */
  readonly port?: number | undefined;
  /** Closes the registry when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with each request, after it was answered, and with each fault. What it throws is ignored. */
  readonly onEvent?: ((event: ServeEvent) => void) | undefined;
}

const SERVE_OPTIONS: OptionsShape<ServeOptions> = {
  store: required(FOLDER_PATH),
  host: TEXT,
  port: whole(0, 65_535),
  allowHost: TEXTS,
  signal: SIGNAL,
  onEvent: observer<ServeEvent>(),
};

/** A registry that is being served. Disposing it closes it. */
export interface RunningRegistry extends AsyncDisposable {
  /** `http://host:port` */
  readonly url: string;
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Whether other machines can reach it. All of them can read and write, because there is no login. */
  readonly isOpenToNetwork: boolean;
  /**
   * Resolves after the registry has been closed. Rejects with a StorageError if it closed by itself: this process stood
   * still, and another server took over the store.
   */
  readonly closed: Promise<void>;
  /** Cuts open connections, waits for the work that they started, and releases the store. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves a registry from a folder: read-write, OCI distribution specification 1.1, plain HTTP, no accounts. It is meant for
 * one machine.
 *
 * @throws StorageError for a folder that cannot be used; NetworkError for an address that cannot be used.
 * @example
 * ```ts
 * import { push, serve } from "imgpack";
 *
 * const registry = await serve({ store: "registry" });
 * const { host } = new URL(registry.url);
 * await push(["app.tar"], { registry: host });
 * await registry.close();
 * ```
 */
export async function serveRegistry(options: ServeOptions): Promise<RunningRegistry> {
  options = checkedOptions(options, SERVE_OPTIONS);
  return await startRegistry(options, SYSTEM_CLOCK);
}

/** `serveRegistry` with a clock of its own, for tests. */
export async function startRegistry(options: ServeOptions, clock: Clock): Promise<RunningRegistry> {
  const { signal, host = "127.0.0.1", port = 0 } = options;
  signal?.throwIfAborted();
  const allowed = [options.allowHost ?? []].flat().map(checkedHost);
  const hosts = { names: new Set([...allowed, plainHost(host)]), isStrict: allowed.length > 0 };
  const store = await openStore(resolve(options.store), options);
  const uploads = new UploadTable(store, clock.now);
  const connections = new ConnectionTable(clock.now);
  const transfers = new Slots(MAX_TRANSFERS, () => connections.cutSlowest());
  const lookups = new Slots(MAX_LOOKUPS);
  const { onEvent } = options;
  const writable = { registry: store, uploads };
  const pages = new PageSite(store, {
    isReadOnly: false,
    isTls: false,
    isPrivate: false,
    store: basename(resolve(options.store)),
  });
  const parts = { hosts, registry: store, store: writable, pages, connections, transfers, lookups, onEvent };
  const running = new Set<Promise<void>>();
  const server = createServer({ headersTimeout: HEADER_MS, requestTimeout: 0, connectionsCheckingInterval: SWEEP_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("connection", socket => connections.add(socket));
  // The next attempt of that client then finds room.
  server.on("drop", () => connections.makeRoom());
  server.on("request", (request, response) => {
    const task = connections.run(request, response, async () => await respond(request, response, parts));
    running.add(task);
    void task.finally(() => running.delete(task));
  });
  const stopSweeping = clock.every(SWEEP_MS, () => {
    connections.sweep();
    for (let { waiting } = transfers; waiting > 0 && connections.cutSlowest(); ) waiting -= 1;
    // What it cannot remove now is removed at the next start.
    void uploads.sweep().catch(() => undefined);
  });

  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    stopSweeping();
    const closed = deferred<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
    await Promise.all(running);
    await uploads.endAll();
    await store.close();
  };
  const ended = deferred<void>();
  // A caller need not look at it.
  ended.promise.catch(() => undefined);
  let closing: Promise<void> | undefined;
  const closeOnce = (loss?: StorageError): Promise<void> => {
    if (closing === undefined) {
      closing = close();
      closing.then(loss === undefined ? ended.resolve : () => ended.reject(loss), error => ended.reject(loss ?? error));
    }
    return closing;
  };
  // A caller of `close` gets the same promise, and its error.
  const onAbort = (): void => void closeOnce().catch(() => undefined);

  try {
    await listen(server, host, port);
  } catch (error) {
    stopSweeping();
    await store.close();
    throw error;
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  void store.lost.then(closeOnce).catch(() => undefined);
  const address = boundAddress(server, host);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    address,
    isOpenToNetwork: !isLoopback(address.host),
    closed: ended.promise,
    close: async () => await closeOnce(),
    [Symbol.asyncDispose]: async () => await closeOnce(),
  };
}

function checkedHost(text: string): string {
  const host = plainHost(text);
  if (/^[a-z0-9.:-]+$/.test(host)) return host;
  throw new UsageError(`Cannot allow host ${quote(text)}: malformed, expected a name, such as registry.lan`);
}

async function openStore(folder: string, { onEvent, signal }: ServeOptions): Promise<RegistryFolder> {
  const onNote = (message: string): void => onEvent?.({ kind: "note", message });
  try {
    const onDamage: DamageReport = ({ path, found }) => onEvent?.({ kind: "damage", path, found });
    return await RegistryFolder.open(folder, onDamage, { onNote, signal });
  } catch (error) {
    const isExplained = error instanceof StorageError && !(error instanceof SystemFault);
    if (isExplained || signal?.aborted === true) throw error;
    throw new StorageError(
      `Cannot serve registry from ${quote(folder)}: ${storageState(error)}, expected a writable folder`,
      {
        hint: "Name a folder on a local disk that you own.",
        cause: error,
      },
    );
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const ready = deferred<void>();
  server.once("error", ready.reject);
  server.listen({ host, port }, ready.resolve);
  try {
    await ready.promise;
  } catch (error) {
    throw listenFault(host, port, error);
  } finally {
    server.off("error", ready.reject);
  }
}

function boundAddress(server: Server, host: string): { readonly host: string; readonly port: number } {
  const address = server.address();
  return typeof address === "object" && address !== null
    ? { host: address.address, port: address.port }
    : { host, port: 0 };
}
