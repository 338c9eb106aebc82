import { basename, resolve } from "node:path";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { deferred } from "../util/promises.ts";
import { SystemFault, storageState } from "../util/system-fault.ts";
import { checkServerTls } from "./access/certificate.ts";
import { parseHtpasswd } from "./access/htpasswd.ts";
import { PasswordCheck } from "./access/password-check.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ConnectionTable } from "./connections/connection-table.ts";
import { httpEntry } from "./connections/http-entry.ts";
import { type Listener, listenOn } from "./connections/listen.ts";
import { addressText, parseListenAddress } from "./connections/listen-address.ts";
import { Slots } from "./connections/slots.ts";
import type { DamageReport } from "./content/damage-log.ts";
import { RegistryFolder } from "./folder/registry-folder.ts";
import { PageSite } from "./page/page-site.ts";
import { respond } from "./respond.ts";
import { checkedHost, SERVE_OPTIONS, type ServeOptions } from "./serve-options.ts";
import { serverWatch } from "./server-watch.ts";
import { isLoopback, plainHost } from "./trusted-host.ts";
import { UploadTable } from "./uploads/upload-table.ts";
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
 * Serves a registry from a folder: read-write, OCI distribution specification 1.1. It is meant for one machine.
 *
 * @throws UsageError for a certificate or an htpasswd text that cannot be used; StorageError for a folder that cannot be used;
 *   NetworkError for an address that cannot be used.
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
  const store = await openStore(resolve(options.store), options);

  const uploads = new UploadTable(store, clock.now);
  const passwords = accounts === undefined ? undefined : new PasswordCheck(accounts);
  const connections = new ConnectionTable(clock.now);
  const transfers = new Slots(MAX_TRANSFERS, () => connections.cutSlowest());
  const lookups = new Slots(MAX_LOOKUPS);
  const counts = new RequestCounts();
  const watch = serverWatch({
    registry: store,
    connections,
    transfers,
    counts,
    faultOf: async () => await faultOf(store),
  });
  const writable = { registry: store, uploads };
  const slots = { connections, transfers, lookups };
  const pages = new PageSite(store, {
    isReadOnly: false,
    isTls: tls !== undefined,
    isPrivate: passwords !== undefined,
    store: basename(resolve(options.store)),
  });
  const parts = { hosts, registry: store, store: writable, pages, passwords, counts, watch, onEvent, ...slots };
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
    void uploads.sweep().catch(() => undefined);
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
    await uploads.endAll();
    await passwords?.[Symbol.asyncDispose]();
    await store.close();
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
  void store.lost.then(closeOnce).catch(() => undefined);
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

/** Words for everyone: no path of this machine. */
async function faultOf(store: RegistryFolder): Promise<string | undefined> {
  try {
    await store.content.checkFolders();
    return (await store.isSafe()) ? undefined : "another server has the store";
  } catch {
    return "the store cannot be read";
  }
}

async function atMost(task: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const over = deferred<void>();
  const stop = clock.every(ms, over.resolve);
  await Promise.race([task, over.promise]);
  stop();
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
