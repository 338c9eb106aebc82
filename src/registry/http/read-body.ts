import { startDeadline } from "../../util/time/deadline.ts";

/** A document comes whole, or the time of the run is lost. */
export const MAX_DOCUMENT_MINUTES = 5;

/** A body that can be ended early. */
export interface EndableBody extends AsyncIterable<Uint8Array> {
  destroy(reason: Error): void;
}

export interface ReadBody {
  /** What arrived, at most `maxBytes`. */
  readonly bytes: Uint8Array;
  /** False if the body is longer than `maxBytes`. */
  readonly isWhole: boolean;
  /** What the connection failed with, if the body broke off. */
  readonly failure?: { readonly cause: unknown };
}

/**
 * Reads at most `maxBytes` of a body. An unread rest closes the connection.
 *
 * @param withinMs default five minutes.
 */
export async function readBody(
  body: EndableBody,
  maxBytes: number,
  withinMs: number = MAX_DOCUMENT_MINUTES * 60_000,
): Promise<ReadBody> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let failure: ReadBody["failure"];
  const stop = startDeadline(withinMs, () => {
    body.destroy(Object.assign(new Error("the body did not end in time"), { code: "EUNFINISHED" }));
  });
  try {
    for await (const part of body) {
      parts.push(part);
      bytes += part.length;
      if (bytes > maxBytes) break;
    }
  } catch (cause) {
    failure = { cause };
  } finally {
    stop();
  }
  const isWhole = bytes <= maxBytes && failure === undefined;
  const [first, ...others] = parts;
  const whole = first !== undefined && others.length === 0 ? first : Buffer.concat(parts);
  return { bytes: whole.subarray(0, maxBytes), isWhole, ...(failure === undefined ? {} : { failure }) };
}
