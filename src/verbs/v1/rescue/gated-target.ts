import type { ImageTarget, Presence, TargetSession } from "../../../content/contracts.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Limiter } from "./limiter.ts";
import type { Sending } from "./sending.ts";

export interface Gate {
  /** Blobs at the same time, of all repositories. */
  readonly limiter: Limiter;
  /** Of all repositories of the registry. */
  readonly sending: Sending;
}

/**
 * A repository that many images of a run go to, some at once: it takes only as many blobs at the same time as the limiter
 * allows, each once, and is not asked again for what it has.
 *
 * @param present blobs that the run has found or put there; grows.
 */
export function gatedTarget(target: ImageTarget, gate: Gate, present: Set<Digest>): ImageTarget {
  return { ...target, begin: async (plan, signal) => gatedSession(await target.begin(plan, signal), gate, present) };
}

function gatedSession(session: TargetSession, { limiter, sending }: Gate, present: Set<Digest>): TargetSession {
  const { putPending } = session;
  const ends = new Map<Digest, () => void>();
  return {
    async has(descriptor, signal) {
      const { digest } = descriptor;
      if (present.has(digest)) return "exists";
      const ask = async (): Promise<Presence> =>
        present.has(digest) ? "exists" : await limiter.run(async () => await session.has(descriptor, signal));
      const { presence, end } = await sending.find(digest, ask, signal);
      if (end === undefined) present.add(digest);
      else ends.set(digest, end);
      return presence;
    },
    async put(descriptor, blob, signal) {
      await limiter.run(async () => await session.put(descriptor, blob, signal));
      const end = ends.get(descriptor.digest);
      if (end === undefined) return;
      present.add(descriptor.digest);
      end();
    },
    ...(putPending && {
      async putPending(blob, signal, onBytes) {
        const seal = await limiter.run(async () => await putPending.call(session, blob, signal, onBytes));
        present.add(seal.descriptor.digest);
        return seal;
      },
    }),
    commit: async (roots, signal) => await session.commit(roots, signal),
    async [Symbol.asyncDispose]() {
      // Of blobs that did not arrive: others try.
      for (const end of ends.values()) end();
      await session[Symbol.asyncDispose]();
    },
  };
}
