import { UsageError } from "../../errors.ts";
import type { Kind } from "../../util/options/checked-options.ts";
import { group, required, TEXT } from "../../util/options/option-kinds.ts";

/** A private key that signs archives. */
export interface SigningKeyOptions {
  /** In PEM: Ed25519, ECDSA P-256 or RSA. */
  readonly key: string;
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined;
}

const FIELDS = group<SigningKeyOptions>({ key: required(TEXT), passphrase: TEXT });

export const SIGN_KIND: Kind<SigningKeyOptions> = {
  checked: (value, option) => {
    // The message for other values would contain the key.
    if (typeof value === "string")
      throw new UsageError(`Cannot use option ${option}: found a string, expected an object`);
    return FIELDS.checked(value, option);
  },
};
