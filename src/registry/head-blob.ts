import type { Digest } from "../oci/digest.ts";
import type { UploadTarget } from "./upload-session.ts";

/** Whether the repository has a blob; one try. */
export async function headBlob({ client, repository, signal }: UploadTarget, digest: Digest): Promise<boolean> {
  const response = await client.callOnce({
    verb: "push",
    what: `blob ${digest}`,
    repository,
    actions: "pull,push",
    method: "HEAD",
    url: `/v2/${repository}/blobs/${digest}`,
    // Some registries refuse every HEAD of a blob (ECR Public) or answer 403 or 405: unknown is "not there".
    accept: [200, 404, 403, 405],
    signal,
  });
  await response.body.dump();
  return response.status === 200;
}
