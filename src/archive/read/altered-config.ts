import { IntegrityError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";
import type { Archive } from "../archive.ts";

/** A config that is not what the name of its entry says. */
export function alteredConfig(archive: Archive, name: string, digest: Digest, claimed: Digest): IntegrityError {
  return new IntegrityError(
    `Cannot accept config ${quote(name)} from ${archive.what}: found ${digest}, expected ${claimed} as in its name`,
    { hint: "The archive was damaged or altered after it was saved: copy it again from its source." },
  );
}
