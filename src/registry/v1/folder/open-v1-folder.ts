import { join } from "node:path";
import { NotFoundError, StorageError } from "../../../errors.ts";
import { quote } from "../../../util/format.ts";
import { isV1Name } from "../v1-names.ts";
import type { OnUnlisted, V1Repository, V1Session, V1Store } from "../v1-store.ts";
import { ContainedFolder } from "./contained-folder.ts";
import { V1FolderSession } from "./v1-folder-session.ts";

const MAX_NOTES = 10;

/**
 * Opens the storage folder of docker-registry, or the folder that has it as `registry`. Nothing is written to it.
 *
 * @param onNote is called with folders whose names are none of repositories.
 * @throws StorageError for a folder that cannot be read, or that is no such storage.
 */
export async function openV1Folder(path: string, onNote: (text: string) => void = () => undefined): Promise<V1Store> {
  const given = await ContainedFolder.at(path);
  if (await given.isFolder("repositories")) return new V1Folder(path, given, onNote);
  if (await given.isFolder("registry/repositories"))
    return new V1Folder(path, await ContainedFolder.at(join(path, "registry")), onNote);
  throw new StorageError(`Cannot read ${quote(path)}: found no folder "repositories", expected one`, {
    hint: "Name the storage folder of docker-registry: it has the folders images and repositories.",
  });
}

class V1Folder implements V1Store {
  readonly name: string;
  readonly registry = "localhost";
  readonly requests = 0;
  readonly #folder: ContainedFolder;
  readonly #onNote: (text: string) => void;
  readonly #leftOut = new Set<string>();
  readonly #sessions = new Map<string, V1Session>();

  constructor(path: string, folder: ContainedFolder, onNote: (text: string) => void) {
    this.#onNote = onNote;
    this.name = `v1+dir:${path}`;
    this.#folder = folder;
  }

  async *repositories(signal?: AbortSignal, onUnlisted?: OnUnlisted): AsyncGenerator<V1Repository, void> {
    for (const namespace of await this.#names()) {
      for (const name of await this.#namesIn(namespace, onUnlisted)) {
        signal?.throwIfAborted();
        yield { namespace, name };
      }
    }
  }

  async #namesIn(namespace: string, onUnlisted: OnUnlisted | undefined): Promise<readonly string[]> {
    try {
      return await this.#names(namespace);
    } catch (error) {
      if (!(error instanceof StorageError) || onUnlisted === undefined) throw error;
      onUnlisted(namespace, error);
      return [];
    }
  }

  async open({ namespace, name }: V1Repository, signal?: AbortSignal): Promise<V1Session> {
    signal?.throwIfAborted();
    const key = `${namespace}/${name}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    if (!isV1Name(namespace) || !isV1Name(name) || !(await this.#folder.isFolder(`repositories/${key}`)))
      throw new NotFoundError(`Cannot read ${quote(key)} from ${quote(this.name)}: no such repository, expected one`, {
        hint: 'Check the name: "imgpack catalog v1+dir:FOLDER" lists the repositories.',
      });
    const session = new V1FolderSession(this, { namespace, name }, this.#folder);
    this.#sessions.set(key, session);
    return session;
  }

  /** Of what is a folder and may be part of a repository's name. */
  async #names(below = ""): Promise<readonly string[]> {
    const folder = `repositories/${below}`;
    const names: string[] = [];
    for (const name of (await this.#folder.names(folder)) ?? []) {
      if (!(await this.#mayBeFolder(`${folder}/${name}`))) continue;
      if (isV1Name(name)) names.push(name);
      else this.#leaveOut(below === "" ? name : `${below}/${name}`);
    }
    return names;
  }

  #leaveOut(name: string): void {
    if (this.#leftOut.size >= MAX_NOTES || this.#leftOut.has(name)) return;
    this.#leftOut.add(name);
    this.#onNote(`${quote(this.name)} has the folder ${quote(name)}, which is no repository: left out`);
  }

  /** What cannot be looked at is listed: it fails when it is opened, and the others do not fail with it. */
  async #mayBeFolder(path: string): Promise<boolean> {
    try {
      return await this.#folder.isFolder(path);
    } catch (error) {
      if (error instanceof StorageError) return true;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sessions.clear();
  }
}
