import { type StorageError, UsageError } from "../errors.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { deferred } from "../util/promises.ts";
import { checkServerTls } from "./access/certificate.ts";
import { parseHtpasswd } from "./access/htpasswd.ts";
import { PasswordCheck } from "./access/password-check.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ConnectionTable } from "./connections/connection-table.ts";
import { httpEntry } from "./connections/http-entry.ts";
import { type Listener, listenOn } from "./connections/listen.ts";
import { addressText, parseListenAddress } from "./connections/listen-address.ts";
import { Slots } from "./connections/slots.ts";
import { type OpenedRegistry, openArchivesRegistry, openStoreRegistry } from "./opened-registry.ts";
import { PageSite } from "./page/page-site.ts";
import { respond } from "./respond.ts";
import { checkedHost, SERVE_OPTIONS, type ServeOptions } from "./serve-options.ts";
import { serverWatch } from "./server-watch.ts";
import { isLoopback, plainHost } from "./trusted-host.ts";
import { RequestCounts } from "./watch/request-counts.ts";

const SWEEP_MS = 1000;
/** Each needs one descriptor, sometimes two, and up to 1 MiB. */
const MAX_TRANSFERS = 128;
const MAX_LOOKUPS = 32;

/** A registry that is being served. Disposing it closes it. */
export interface RunningRegistry extends AsyncDisposable {
  /** `http://host:port` or `https://host:port` of the first address. */
  readonly url: string;
  /** Of all addresses, in the order in which they were given. */
  readonly urls: readonly string[];
  /** Whether other machines can reach it. Without `htpasswd`, all of them can use it. */
  readonly isOpenToNetwork: boolean;
  /**
   * Resolves after the registry has been closed. Rejects with a StorageError if it closed by itself: this process stood
   * still, and another server took over the store.
   */
  readonly closed: Promise<void>;
  /**
   * Takes no more connections, gives running requests `drainMs` to end and cuts the rest, waits for the work that they
   * started, and releases the store. May be called twice.
   */
  close(): Promise<void>;
}

/**
 * Serves a registry from archives, which are only read, or from a folder, read-write: OCI distribution specification 1.1. It is
 * meant for one machine.
 *
 * Images of archives keep their names. A client that says which registry it means (`?ns=`, as containerd does) gets exactly
 * the images of that registry. Without it, a name is one of Docker Hub, or else one that a single registry has;
 * `/v2/registry.lan_5000/team/app/…` is always the image registry.lan:5000/team/app.
 *
 * @throws UsageError for a certificate or an htpasswd text that cannot be used, and for an archive that is compressed as a
 *   whole; ArchiveError for archives that cannot be read, or give one name to two images; StorageError for a folder that cannot
 *   be used; NetworkError for an address that cannot be used.
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
  const { signal, tls, onEvent, drainMs = 0 } = options;
  signal?.throwIfAborted();
  const addresses = [options.listen ?? "127.0.0.1:0"].flat().map(parseListenAddress);
  const allowed = [options.allowHost ?? []].flat().map(checkedHost);
  const names = new Set([...allowed, ...addresses.map(({ host }) => plainHost(host))]);
  const hosts = { names, isStrict: allowed.length > 0 };
  const accounts = options.htpasswd === undefined ? undefined : parseHtpasswd(options.htpasswd);
  const notes = tls === undefined ? [] : checkServerTls(tls, Date.now());
  for (const message of notes) onEvent?.({ kind: "note", message });
  const opened = await openRegistry(options, clock);
  const { registry, store } = opened;
  const passwords = accounts === undefined ? undefined : new PasswordCheck(accounts);
  const connections = new ConnectionTable(clock.now);
  const transfers = new Slots(MAX_TRANSFERS, () => connections.cutSlowest());
  const lookups = new Slots(MAX_LOOKUPS);
  const counts = new RequestCounts();
  const watch = serverWatch({
    registry,
    connections,
    transfers,
    counts,
    faultOf: opened.fault,
  });
  const slots = { connections, transfers, lookups };
  const pages = new PageSite(registry, {
    isReadOnly: store === undefined,
    isTls: tls !== undefined,
    isPrivate: passwords !== undefined,
    store: opened.name,
  });
  const parts = { hosts, registry, store, pages, passwords, counts, watch, onEvent, ...slots };
  const running = new Set<Promise<void>>();
  const entry = httpEntry({
    tls,
    connections,
    onRequest(request, response) {
      const task = connections.run(request, response, async () => await respond(request, response, parts));
      running.add(task);
      void task.finally(() => running.delete(task));
    },
    onFault: ({ remoteAddress = "" }, found) => onEvent?.({ kind: "connection", remoteAddress, found }),
  });
  const stopSweeping = clock.every(SWEEP_MS, () => {
    connections.sweep();
    for (let { waiting } = transfers; waiting > 0 && connections.cutSlowest(); ) waiting -= 1;
    // What it cannot remove now is removed at the next start.
    void store?.uploads.sweep().catch(() => undefined);
  });

  let listeners: readonly Listener[] = [];
  const close = async (waitMs: number): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    const closed = listeners.map(async listener => await listener.close());
    if (waitMs > 0) await atMost(connections.drain(), waitMs, clock);
    stopSweeping();
    connections.cutAll();
    await Promise.all(closed);
    await Promise.all(running);
    await passwords?.[Symbol.asyncDispose]();
    await opened.close();
  };
  const ended = deferred<void>();
  // A caller need not look at it.
  ended.promise.catch(() => undefined);
  let closing: Promise<void> | undefined;
  const closeOnce = (loss?: StorageError): Promise<void> => {
    if (closing === undefined) {
      closing = close(loss === undefined ? drainMs : 0);
      closing.then(loss === undefined ? ended.resolve : () => ended.reject(loss), error => ended.reject(loss ?? error));
    }
    return closing;
  };
  // A caller of `close` gets the same promise, and its error.
  const onAbort = (): void => void closeOnce().catch(() => undefined);

  try {
    listeners = await listenOn(addresses, socket => {
      if (connections.add(socket)) entry.take(socket);
    });
  } catch (error) {
    await close(0);
    throw error;
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  void opened.lost?.then(closeOnce).catch(() => undefined);
  const urls = listeners.map(({ asked }) => `${tls === undefined ? "http" : "https"}://${addressText(asked)}`);
  return {
    url: urls[0] ?? "",
    urls,
    isOpenToNetwork: !listeners.every(({ host }) => isLoopback(host)),
    closed: ended.promise,
    close: async () => await closeOnce(),
    [Symbol.asyncDispose]: async () => await closeOnce(),
  };
}

async function atMost(task: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const over = deferred<void>();
  const stop = clock.every(ms, over.resolve);
  await Promise.race([task, over.promise]);
  stop();
}

/** @throws UsageError unless there is either one or the other. */
async function openRegistry(
  { archives = [], store, onEvent, signal }: ServeOptions,
  clock: Clock,
): Promise<OpenedRegistry> {
  const options = { now: clock.now, onEvent, signal };
  const paths = [archives].flat();
  if (store !== undefined && paths.length === 0) return await openStoreRegistry(store, options);
  if (store === undefined && paths.length > 0) return await openArchivesRegistry(paths, options);
  const found = store === undefined ? "neither archives nor a store" : "archives and a store";
  throw new UsageError(`Cannot serve a registry: found ${found}, expected one of them`, {
    hint: "Name archives or folders with images, or the folder of a store that can be written to.",
  });
}
