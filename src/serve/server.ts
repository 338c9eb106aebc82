import { type StorageError, UsageError } from "../errors.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { deferred } from "../util/promises.ts";
import { type Clock, SYSTEM_CLOCK } from "../util/time/clock.ts";
import { type Listener, listenOn } from "./connections/listen.ts";
import { addressText } from "./connections/listen-address.ts";
import { type OpenedRegistry, openArchivesRegistry, openStoreRegistry } from "./opened-registry.ts";
import { SERVE_OPTIONS, type ServeOptions, serverSettings } from "./serve-options.ts";
import { ServerWork } from "./server-work.ts";
import { isLoopback } from "./trusted-host.ts";

/** A registry that is being served. Disposing it closes it. */
export interface RunningRegistry extends AsyncDisposable {
  /** `http://host:port` or `https://host:port` of the first address. */
  readonly url: string;
  /** Of all addresses, in the order in which they were given. */
  readonly urls: readonly string[];
  /** Those of `urls` that other machines can reach. Without `htpasswd`, all of them can use the registry. */
  readonly openUrls: readonly string[];
  /** Whether there are any of these. */
  readonly isOpenToNetwork: boolean;
  /**
   * Resolves after the registry has been closed. Rejects with a StorageError if it closed by itself: this process stood
   * still, and another process took over the store.
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
  const settings = serverSettings(options);
  for (const message of settings.notes) onEvent?.({ kind: "note", message });
  const work = new ServerWork(await openRegistry(options, clock), { ...settings, tls, onEvent, clock });
  const ended = deferred<void>();
  // A caller need not look at it.
  ended.promise.catch(() => undefined);
  let listeners: readonly Listener[] = [];
  let closing: Promise<void> | undefined;
  const close = (loss?: StorageError): Promise<void> => {
    if (closing === undefined) {
      signal?.removeEventListener("abort", onAbort);
      closing = work.close(listeners, loss === undefined ? drainMs : 0);
      closing.then(loss === undefined ? ended.resolve : () => ended.reject(loss), error => ended.reject(loss ?? error));
    }
    return closing;
  };
  // A caller of `close` gets the same promise, and its error.
  const onAbort = (): void => void close().catch(() => undefined);

  try {
    listeners = await listenOn(settings.addresses, socket => work.take(socket));
  } catch (error) {
    await work.close([], 0);
    throw error;
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  void work.lost?.then(close).catch(() => undefined);
  const urls = listeners.map(({ asked }) => `${tls === undefined ? "http" : "https"}://${addressText(asked)}`);
  const openUrls = urls.filter((_, index) => !isLoopback(listeners[index]?.host ?? ""));
  return {
    url: urls[0] ?? "",
    urls,
    openUrls,
    isOpenToNetwork: openUrls.length > 0,
    closed: ended.promise,
    close: async () => await close(),
    [Symbol.asyncDispose]: async () => await close(),
  };
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
