import { AuthError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TransportResponse } from "../http/transport.ts";
import { capabilitiesOf } from "./upload-capabilities.ts";
import type { UploadTarget } from "./upload-session.ts";

/** Whether the repository has a blob; one try. Where the registry does not tell, it has not. */
export async function headBlob({ client, repository, signal }: UploadTarget, digest: Digest): Promise<boolean> {
  const form = capabilitiesOf(client);
  if (!form.answersHead) return false;
  let response: TransportResponse;
  try {
    response = await client.callOnce({
      verb: "push",
      what: `blob ${digest}`,
      repository,
      actions: "pull,push",
      method: "HEAD",
      url: `/v2/${repository}/blobs/${digest}`,
      // Some registries answer 403 or 405: unknown is "not there".
      accept: [200, 404, 403, 405],
      signal,
    });
  } catch (error) {
    // ECR Public says 401 to every HEAD of a blob, whatever the token: the upload that follows tells who is right.
    if (!(error instanceof AuthError) || !(await client.holdsToken({ repository, actions: "pull,push" }, signal))) {
      throw error;
    }
    form.answersHead = false;
    return false;
  }
  await response.body.dump();
  if (response.status === 405) form.answersHead = false;
  return response.status === 200;
}
