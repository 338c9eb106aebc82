import type { NeededBlob } from "../../bundle/need/need.ts";
import { bytesBlob } from "../../content/blob.ts";
import type { BlobSource, ByteRange, ByteSink, ImageSource } from "../../content/contracts.ts";
import { rootsOf } from "../../content/derived-source.ts";
import { pumpBlob } from "../../content/pump.ts";
import { ImgpackError, IntegrityError, InternalError, NotFoundError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_LAYER } from "../../oci/media-types.ts";
import { parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { blobSize } from "../../registry/api/blobs.ts";
import { getManifest } from "../../registry/api/get-manifest.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";
import type { PullCandidate } from "../../registry/registry-source.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";

/** The blobs of a need list, by their digests alone, from the repositories that the list names: each of them in turn. */
export class NeededSource implements ImageSource {
  readonly roots: ImageSource["roots"] = rootsOf([]);
  readonly #rows: ReadonlyMap<Digest, NeededBlob>;
  readonly #pool: RegistryPool;
  readonly #candidates = new Map<string, Promise<readonly PullCandidate[]>>();
  /** How often a blob was read: bytes that were wrong are asked for elsewhere. */
  readonly #reads = new Map<Digest, number>();

  constructor(blobs: readonly NeededBlob[], pool: RegistryPool) {
    this.#rows = new Map(blobs.map(blob => [blob.digest, blob]));
    this.#pool = pool;
  }

  async blob({ digest }: Pick<Descriptor, "digest">): Promise<BlobSource> {
    const row = this.#rowOf(digest);
    if (row.kind === "manifest") return this.#manifest(row);
    const from = (repository: Repository): BlobSource => registryBlob(repository, describedBy(row));
    return {
      size: row.size,
      isRemote: true,
      open: async (range, signal) =>
        await this.#inTurn(row, signal, async repository => await from(repository).open(range, signal)),
      pump: async (sink, signal) =>
        await this.#pumping(row, sink, signal, async (repository, into) => {
          await pumpBlob(from(repository), into, signal);
        }),
      pumpFrom: async (start, sink, signal) =>
        await this.#pumping(row, sink, signal, async (repository, into) => {
          const blob = from(repository);
          if (blob.pumpFrom !== undefined) return await blob.pumpFrom(start, into, signal);
          await readRange(blob, { start, end: row.size }, async (part, at) => await into(part, at - start), signal);
        }),
    };
  }

  /** Sends some bytes of a blob, in order. Positions count from the start of the blob. */
  async range(digest: Digest, range: ByteRange, sink: ByteSink, signal: AbortSignal | undefined): Promise<void> {
    const row = this.#rowOf(digest);
    await this.#pumping(row, sink, signal, async (repository, into) => {
      const blob = row.kind === "manifest" ? this.#manifest(row) : registryBlob(repository, describedBy(row));
      await readRange(blob, range, into, signal);
    });
  }

  /** False if each of its repositories says that it does not have the blob. */
  async has({ digest }: Pick<Descriptor, "digest">, signal?: AbortSignal): Promise<boolean> {
    const row = this.#rowOf(digest);
    try {
      await this.#inTurn(row, signal, async repository => {
        if (row.kind === "manifest") await getManifest(repository, digest, { takesAny: true, signal });
        else await blobSize(repository, digest, signal);
      });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /** Connections belong to the pool. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #rowOf(digest: Digest): NeededBlob {
    const row = this.#rows.get(digest);
    if (row === undefined) throw new InternalError(`Cannot pull blob ${digest}: the need list does not name it`);
    return row;
  }

  #manifest(row: NeededBlob): BlobSource {
    const read = async (signal?: AbortSignal): Promise<BlobSource> =>
      await this.#inTurn(row, signal, async repository => {
        const { manifest } = await getManifest(repository, row.digest, { takesAny: true, signal });
        return bytesBlob(manifest.bytes);
      });
    return {
      size: row.size,
      open: async (range, signal) => await (await read(signal)).open(range, signal),
    };
  }

  /** Asks the next repository only as long as none has sent a byte. */
  async #pumping(
    row: NeededBlob,
    sink: ByteSink,
    signal: AbortSignal | undefined,
    task: (repository: Repository, into: ByteSink) => Promise<void>,
  ): Promise<void> {
    let hasBegun = false;
    let failure: unknown;
    await this.#inTurn(row, signal, async repository => {
      try {
        await task(repository, async (chunk, position) => {
          hasBegun = true;
          await sink(chunk, position);
        });
      } catch (error) {
        if (!hasBegun) throw error;
        failure = error;
      }
    });
    if (failure !== undefined) throw failure;
  }

  /** The first repository that does it. @throws NotFoundError if none has the blob; else the first other error. */
  async #inTurn<T>(
    row: NeededBlob,
    signal: AbortSignal | undefined,
    task: (repository: Repository) => Promise<T>,
  ): Promise<T> {
    const { digest, kind } = row;
    const candidates = (await Promise.all(row.repositories.map(async name => await this.#find(name)))).flat();
    const reads = this.#reads.get(digest) ?? 0;
    this.#reads.set(digest, reads + 1);
    const first = candidates.length === 0 ? 0 : reads % candidates.length;
    const failures: ImgpackError[] = [];
    for (const { open } of [...candidates.slice(first), ...candidates.slice(0, first)]) {
      try {
        return await task(await open(signal));
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ImgpackError)) throw error;
        failures.push(error);
      }
    }
    const cause = failures.find(error => !(error instanceof NotFoundError)) ?? failures[0];
    if (cause !== undefined && !(cause instanceof NotFoundError)) throw cause;
    throw new NotFoundError(
      `Cannot pull ${kind} ${digest} from ${row.repositories.join(", ")}: none has it, expected one that has it`,
      { cause },
    );
  }

  async #find(name: string): Promise<readonly PullCandidate[]> {
    const known = this.#candidates.get(name) ?? this.#pool.candidatesFor(repositoryAt(name));
    this.#candidates.set(name, known);
    return await known;
  }
}

/** `registry/repository` of a need list. */
export function repositoryAt(name: string): { readonly registry: string; readonly repository: string } {
  const { registry, repository } = resolveDockerHub(parseReference(name));
  return { registry, repository };
}

/** What is copied of a need list: its rows say no media types, and none is needed. */
export function describedBy({ digest, size }: NeededBlob): Descriptor {
  return { mediaType: OCI_LAYER, digest, size };
}

async function readRange(
  blob: BlobSource,
  { start, end }: ByteRange,
  sink: ByteSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  let position = start;
  for await (const part of (await blob.open({ start, end }, signal)) as AsyncIterable<Uint8Array>) {
    await sink(part, position);
    position += part.length;
  }
  if (position === end) return;
  // A manifest ends where it ends, whatever the list says.
  throw new IntegrityError(
    `Cannot pull bytes ${start} to ${end - 1} of a blob: found ${position - start} bytes, expected all`,
    {
      hint: "The need list states another size than the registry: write it again.",
    },
  );
}
