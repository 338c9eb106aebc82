import type { ErrorCode, ImgpackError } from "../../errors.ts";

const REASONS: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_NOT_FOUND: "not found",
  ERR_AUTH: "access denied",
  ERR_NETWORK: "no answer",
  ERR_INTEGRITY: "damaged",
  ERR_REGISTRY: "refused by the registry",
  ERR_ARCHIVE: "cannot be read",
};

/** Why an image is left out, in words that do not differ between two runs. */
export function leftReason({ code }: ImgpackError): string {
  return REASONS[code] ?? "failed";
}
