import type { ImageTarget, TargetSession } from "../../../content/contracts.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Limiter } from "./limiter.ts";

/**
 * A repository that many images of a run go to, some at once: it takes only as many blobs at the same time as the limiter
 * allows, and is not asked again for what it has.
 *
 * @param present blobs that the run has found or put there; grows.
 */
export function gatedTarget(target: ImageTarget, gate: Limiter, present: Set<Digest>): ImageTarget {
  return { begin: async (plan, signal) => gatedSession(await target.begin(plan, signal), gate, present) };
}

function gatedSession(session: TargetSession, gate: Limiter, present: Set<Digest>): TargetSession {
  const { putPending } = session;
  return {
    async has(descriptor, signal) {
      if (present.has(descriptor.digest)) return "exists";
      const presence = await gate.run(async () => await session.has(descriptor, signal));
      if (presence !== "absent") present.add(descriptor.digest);
      return presence;
    },
    async put(descriptor, blob, signal) {
      await gate.run(async () => await session.put(descriptor, blob, signal));
    },
    ...(putPending && {
      async putPending(blob, signal, onBytes) {
        const seal = await gate.run(async () => await putPending.call(session, blob, signal, onBytes));
        present.add(seal.descriptor.digest);
        return seal;
      },
    }),
    commit: async (roots, signal) => await session.commit(roots, signal),
    [Symbol.asyncDispose]: async () => await session[Symbol.asyncDispose](),
  };
}
