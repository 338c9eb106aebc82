import type { Digest } from "../../oci/digest.ts";
import { headBlob, isWhole } from "../api/blobs.ts";
import type { ReplayableBody } from "./replayable-body.ts";
import { asTransient, isSessionFault } from "./session-fault.ts";
import { startUpload } from "./start-upload.ts";
import { capabilitiesOf, inTurn, MAX_RESTARTS } from "./upload-capabilities.ts";
import { type UploadContext, UploadSession } from "./upload-session.ts";

/**
 * Uploads a blob of known digest and size in one PUT. Every attempt gets its own session, since a failed one may hold
 * bytes.
 *
 * @param opened the URL of a session that is open already.
 */
export async function uploadWhole(
  context: UploadContext,
  body: ReplayableBody,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  opened?: URL,
): Promise<void> {
  const { repository, what, signal } = context;
  const capabilities = capabilitiesOf(repository.client);
  async function* whole(): AsyncGenerator<Uint8Array> {
    await body.seek(0);
    yield* body.parts();
  }
  const once = async (attempt: number): Promise<void> => {
    const url = (attempt === 1 ? opened : undefined) ?? (await startUpload(repository, what, signal));
    const session = new UploadSession(context, url);
    try {
      // Only the answer to an earlier attempt may have been lost.
      if (attempt > 1 && isWhole(await headBlob(repository, digest, signal), size)) return await session.cancel();
      await session.put(digest, size, whole);
    } catch (error) {
      await session.cancel();
      if (!isSessionFault(error) || attempt > MAX_RESTARTS) throw error;
      // One lost session may be bad luck. After the second, uploads probably spoil each other.
      capabilities.isOneAtATime ||= attempt > 1;
      throw asTransient(error);
    }
  };
  await repository.retrying(what, signal, async attempt => {
    await inTurn(capabilities, async () => await once(attempt));
  });
}
