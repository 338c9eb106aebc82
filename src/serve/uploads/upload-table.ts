import type { IncomingMessage } from "node:http";
import type { DigestAlgorithm } from "../../oci/digest.ts";
import { ClientGoneError } from "../content/client-gone-error.ts";
import { KeyedLock } from "../folder/keyed-lock.ts";
import type { RegistryFolder } from "../folder/registry-folder.ts";
import { Refusal } from "../refusal.ts";
import { UploadSession } from "./upload-session.ts";

const MAX_SESSIONS = 4096;
const MAX_IDLE_MS = 60 * 60 * 1000;

/** The open upload sessions. They live in memory: after a restart clients get 404 and start again. */
export class UploadTable {
  readonly #store: RegistryFolder;
  readonly #sessions = new Map<string, UploadSession>();
  readonly #locks = new KeyedLock();

  readonly #now: () => number;
  readonly #limit: number;

  /** @param now milliseconds of a clock that never goes back @param limit of open sessions */
  constructor(store: RegistryFolder, now: () => number, limit: number = MAX_SESSIONS) {
    this.#limit = limit;
    this.#store = store;
    this.#now = now;
  }

  /** A session that is not in the table, for an upload in one request. */
  async createLoose(repository: string, algorithm: DigestAlgorithm): Promise<UploadSession> {
    return await UploadSession.create(this.#store.newUpload(), repository, algorithm);
  }

  /** If too many are open, one that no client uses ends. @throws Refusal 429 if clients are using all of them */
  async create(repository: string, algorithm: DigestAlgorithm): Promise<UploadSession> {
    if (this.#sessions.size >= this.#limit) await this.#dropOne();
    if (this.#sessions.size >= this.#limit) {
      throw new Refusal(429, "TOOMANYREQUESTS", `${this.#limit} uploads are open, expected fewer`);
    }
    const session = await this.createLoose(repository, algorithm);
    session.lastUse = this.#now();
    this.#sessions.set(session.id, session);
    return session;
  }

  /** @throws Refusal 404 */
  get(id: string, repository: string): UploadSession {
    const session = this.#sessions.get(id);
    if (session === undefined || session.repository !== repository) throw unknown();
    session.lastUse = this.#now();
    return session;
  }

  /**
   * Runs a request that changes a session. A client that lost its connection may be back before the server notices, so a
   * newer request ends one whose body is still expected, and continues after the bytes that it stored.
   */
  async change<T>(
    id: string,
    repository: string,
    request: IncomingMessage,
    task: (session: UploadSession) => Promise<T>,
  ): Promise<T> {
    const session = this.get(id, repository);
    if (session.writer?.complete === false) session.writer.destroy();
    return await this.#locks.run(id, async () => {
      if (!this.#sessions.has(id)) throw unknown();
      session.writer = request;
      try {
        return await task(session);
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof ClientGoneError)) await this.end(session);
        throw error;
      } finally {
        session.writer = undefined;
        session.lastUse = this.#now();
      }
    });
  }

  /** Removes a session and its file, unless the store has moved the file. */
  async end(session: UploadSession): Promise<void> {
    this.#sessions.delete(session.id);
    await session.discard();
  }

  async endAll(): Promise<void> {
    for (const session of this.#sessions.values()) await this.end(session);
  }

  /** Ends the uploads that no client has used for an hour. */
  async sweep(): Promise<void> {
    const oldest = this.#now() - MAX_IDLE_MS;
    for (const session of this.#unused()) if (session.lastUse <= oldest) await this.end(session);
  }

  /** The one that was unused longest; one without a byte first, because opening those costs nothing. */
  async #dropOne(): Promise<void> {
    const unused = this.#unused();
    const empty = unused.filter(({ size }) => size === 0);
    const [oldest] = (empty.length > 0 ? empty : unused).sort((left, right) => left.lastUse - right.lastUse);
    if (oldest !== undefined) await this.end(oldest);
  }

  #unused(): UploadSession[] {
    return [...this.#sessions.values()].filter(({ writer }) => writer === undefined);
  }
}

function unknown(): Refusal {
  return new Refusal(
    404,
    "BLOB_UPLOAD_UNKNOWN",
    "no such upload in this repository; it may have ended or been cancelled",
  );
}
