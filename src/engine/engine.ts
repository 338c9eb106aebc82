import type { Readable, Writable } from "node:stream";
import type { EngineKind } from "../oci/names/engine-name.ts";

/** What is used of an engine. */
export interface UsedEngine {
  readonly kind: EngineKind;
  /** Such as "20.10.24". */
  readonly version: string;
  /** Its socket, such as `unix:///var/run/docker.sock`; of podman without a socket, the name of the program. */
  readonly address: string;
}

/** Docker, podman or containerd: gives images as archives, and takes archives. */
export interface Engine {
  readonly kind: EngineKind;
  /** As messages name it. */
  readonly what: string;
  /** @throws NetworkError if it does not answer; StorageError without permission. */
  facts(signal: AbortSignal | undefined): Promise<UsedEngine>;
  /**
   * Looks for an image.
   *
   * @param image as the user typed it.
   * @throws NotFoundError with the nearest names that the engine has; BadReferenceError for what is no name.
   */
  find(image: string, signal: AbortSignal | undefined): Promise<EngineImage>;
  /** The archive that `docker save` writes. Its errors are ImgpackErrors. */
  save(image: EngineImage, signal: AbortSignal | undefined): Promise<Readable>;
  /** Begins to load an archive. */
  load(signal: AbortSignal | undefined): Promise<EngineLoad>;
}

/** An image that an engine has. */
export interface EngineImage {
  /** As the engine is asked for it. */
  readonly request: string;
  /** With registry and tag, as the engine's archive has it; undefined for an image that is asked for by its id or digest. */
  readonly name: string | undefined;
  /** Whether it is asked for by a name, which its archive must have; not by an id or a digest. */
  readonly isNamed: boolean;
  /** About its size, if the engine says it. */
  readonly bytes?: number | undefined;
}

/** Disposing it before it is finished makes the engine drop what it got. */
export interface EngineLoad extends AsyncDisposable {
  /** Takes the archive. Destroyed with an ImgpackError as soon as the engine fails. */
  readonly body: Writable;
  /**
   * Is called after the last byte of the archive.
   *
   * @returns names as the engine reports them; foreign text. Undefined if it does not.
   * @throws EngineError with what the engine says; NetworkError.
   */
  finish(signal: AbortSignal | undefined): Promise<readonly string[] | undefined>;
}
