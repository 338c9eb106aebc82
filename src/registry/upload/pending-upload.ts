import type { PendingBody, PendingStream, Seal } from "../../content/contracts.ts";
import { InternalError, RegistryError } from "../../errors.ts";
import { headerText } from "../http/headers.ts";
import { uploadChunked } from "./chunked-upload.ts";
import { closeUpload } from "./close-upload.ts";
import type { OpenedBody } from "./replayable-body.ts";
import { uploadResumable } from "./resumable-upload.ts";
import { claimUpload } from "./resumed-session.ts";
import { capabilitiesOf, inTurn, isTooLarge } from "./upload-capabilities.ts";
import { inSession, restartingUpload, sessionUrl, type UploadTarget } from "./upload-session.ts";

/**
 * Uploads a blob whose digest its last byte tells: one streamed PATCH without Content-Range, closed by an empty PUT, as
 * docker push does; in chunks where the registry refuses that for its size.
 *
 * @param onBytes hears source bytes; a negative number takes back what is sent again.
 */
export async function uploadPending(
  target: UploadTarget,
  blob: PendingBody,
  onBytes?: (bytes: number) => void,
): Promise<Seal> {
  const what = `layer ${blob.key.replace("pending:", "")}`;
  const form = capabilitiesOf(target.repository.client);
  let seal: (() => Seal) | undefined;
  const key = lastingKey(blob);
  await using record = key === undefined ? undefined : await claimUpload(target, key, blob.sourceBytes);
  if (record !== undefined) {
    const open = async (): Promise<OpenedBody> => {
      const stream = await blob.open(target.signal, onBytes);
      seal = () => stream.seal();
      return { body: stream.body, descriptor: () => stream.seal().descriptor };
    };
    const sent = await uploadResumable(target, { what, record, sourceBytes: blob.sourceBytes, open });
    if (sent !== undefined && seal !== undefined) return seal();
  }
  if (form.takesWhole) {
    try {
      return await uploadStreamed(target, what, blob, onBytes);
    } catch (error) {
      if (!isTooLarge(error, blob.sourceBytes)) throw error;
      form.takesWhole = false;
    }
  }
  await restartingUpload(form, async () => {
    let counted = 0;
    const stream = await blob.open(target.signal, bytes => {
      counted += bytes;
      onBytes?.(bytes);
    });
    seal = () => stream.seal();
    try {
      await uploadChunked(target, { what, body: stream.body, descriptor: () => stream.seal().descriptor, record });
    } catch (error) {
      onBytes?.(-counted);
      throw error;
    }
  });
  if (seal === undefined) throw new InternalError(`Cannot push ${what}: nothing was sent, expected a layer`);
  return seal();
}

/** The layer's key, if that tells what it holds, and how it is compressed: made again, it is the same. */
export function lastingKey({ key }: PendingBody): string | undefined {
  return /^pending:sha\d+:[0-9a-f]+\+/.test(key) ? key : undefined;
}

async function uploadStreamed(
  target: UploadTarget,
  what: string,
  blob: PendingBody,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<Seal> {
  const form = capabilitiesOf(target.repository.client);
  for (let round = 1; ; round += 1) {
    const hasTurn = form.isOneAtATime;
    const sealed = await inTurn(form, async () => {
      const send = async (url: URL): ReturnType<typeof streamInto> =>
        await streamInto(target, what, url, blob, onBytes);
      const { seal, session } = await inSession(target, what, undefined, send, hasTurn);
      return (await closeUpload(target, what, session, seal.descriptor.digest, round)) ? seal : undefined;
    });
    if (sealed !== undefined) return sealed;
    form.isOneAtATime = true;
    onBytes?.(-blob.sourceBytes);
  }
}

async function streamInto(
  target: UploadTarget,
  what: string,
  url: URL,
  blob: PendingBody,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<{ readonly seal: Seal; readonly session: URL }> {
  const { repository, signal } = target;
  let counted = 0;
  const count = (bytes: number): void => {
    counted += bytes;
    onBytes?.(bytes);
  };
  const sending: { stream?: PendingStream; isSent: boolean } = { isSent: false };
  /** Opens the layer anew when a 401 makes the client send it again. */
  async function* body(): AsyncGenerator<Uint8Array> {
    await sending.stream?.body.return();
    count(-counted);
    const stream = await blob.open(signal, count);
    sending.stream = stream;
    yield* stream.body;
    sending.isSent = true;
  }
  try {
    const response = await repository.callOnce({
      what,
      method: "PATCH",
      url,
      headers: { "content-type": "application/octet-stream" },
      body,
      accept: [201, 202, 204],
      signal,
    });
    if (sending.stream === undefined || !sending.isSent) {
      throw new RegistryError(
        `Cannot push ${what} to ${repository}: status ${response.status} before the last byte, expected it after`,
        { status: response.status, transient: true },
      );
    }
    const session = headerText(response.headers, "location") === undefined ? url : sessionUrl(target, response);
    return { seal: sending.stream.seal(), session };
  } catch (error) {
    count(-counted);
    throw error;
  } finally {
    await sending.stream?.body.return();
  }
}
