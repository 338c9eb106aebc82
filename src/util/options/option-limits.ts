/** Limits of numbers that both the flags of the command line and the options of the library have. */
/** Blobs that are written at once where no registry is involved. */
export const DEFAULT_CONCURRENCY = 6;
/** Up to so many transfers with registries at once: it takes this many to make up for a round trip of 50 ms. */
export const DEFAULT_MAX_TRANSFERS = 32;
export const MAX_CONCURRENCY = 64;
export const MAX_RETRIES = 100;
export const MAX_TIMEOUT_SECONDS = 86_400;
/** Bytes per second of `--limit-rate`. Below this rate, a single read takes longer than most servers wait. */
export const MIN_LIMIT_RATE = 1024;
