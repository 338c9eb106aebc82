import { ArchiveError } from "../errors.ts";
import { HeaderWalk } from "../tar/header-walk.ts";
import { looksLike } from "../tar/looks-like.ts";

const HINT = "Its upload was not finished, or its registry has lost a part of it.";

/**
 * Checks a layer that no digest, checksum or compression vouches for: it must be empty, as docker accepts it, or a tar that
 * does not end in the middle of an entry.
 *
 * @param what names the layer in messages.
 * @returns a check that throws ArchiveError "not-a-tar" or "truncated".
 */
export function rawLayerCheck(what: string): { take(chunk: Uint8Array): void; end(): void } {
  const refuse = (reason: string, found: string, hint: string = HINT): ArchiveError => {
    return new ArchiveError(reason, `Cannot accept ${what}: ${found}, expected a whole tar`, { hint });
  };
  const walk = new HeaderWalk({
    onStranger(block) {
      const { name, hint } = looksLike(block);
      throw refuse("not-a-tar", `it looks like ${name}`, hint);
    },
  });
  return {
    take: chunk => walk.take(chunk),
    end() {
      if (walk.isCut) throw refuse("truncated", `it ends in the middle of an entry, after ${walk.seen} bytes`);
    },
  };
}
