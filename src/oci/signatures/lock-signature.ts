/** Largest signature that is read: many times that of an RSA key of 16,384 bits. */
export const MAX_LOCK_SIGNATURE_BYTES: number = 16 * 1024;

/** A signature over the bytes of a lock, as an archive contains it. */
export interface LockSignature {
  readonly bytes: Uint8Array;
  /** Names the key: two signatures with one id are equally right. */
  readonly id: string;
  /** Whether other bytes are as right as these: ECDSA and RSA-PSS give others each time. */
  isAlike(found: Uint8Array): boolean;
}

/** @returns the signature of these bytes; undefined if there is none. */
export type SignLock = (lock: Uint8Array) => LockSignature | undefined;
