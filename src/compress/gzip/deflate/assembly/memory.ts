// Every table has a constant address: the compiled code then reads it with an immediate offset.

export const KIB: usize = 1024;

/** Longest member, in bytes of input. */
export const MEMBER_BYTES: usize = 1024 * KIB;
/** A deflate block, in bytes of input; the last one of a member may be a quarter longer. */
export const BLOCK_BYTES: usize = 32 * KIB;
export const LAST_BLOCK_BYTES: usize = BLOCK_BYTES + BLOCK_BYTES / 4;
/** Wide loads and stores pass the end of what they read and write by less than this. */
export const SLACK: usize = 64;
/** RFC 1951 section 2: a distance reaches no further back. */
export const WINDOW_BYTES: usize = 32 * KIB;

export const LITERAL_SYMBOLS: i32 = 286;
export const DISTANCE_SYMBOLS: i32 = 30;
export const CODE_LENGTH_SYMBOLS: i32 = 19;
export const END_OF_BLOCK: i32 = 256;

// Below 1 KiB: constants of the compiled code.

// Made once.
/** u8[512]: the distance symbol of d = distance - 1, at d below 256 and at 256 + (d >> 7) above. */
export const DISTANCE_SYMBOL: usize = 1 * KIB;
/** u32[30]: the smallest d of a distance symbol. */
export const DISTANCE_BASE: usize = DISTANCE_SYMBOL + 512;
/** u8[30]: the extra bits of a distance symbol. */
export const DISTANCE_EXTRA: usize = DISTANCE_BASE + 128;
/** u8[259]: the symbol of a match length, less 257. */
export const LENGTH_SYMBOL: usize = DISTANCE_EXTRA + 64;
/** u32[29]: the smallest match length of a length symbol. */
export const LENGTH_BASE: usize = LENGTH_SYMBOL + 272;
/** u8[29]: the extra bits of a length symbol. */
export const LENGTH_EXTRA: usize = LENGTH_BASE + 128;

// Made per deflate block.
/** u32[4][256]: four counts of literals, so that one count need not wait for the one before. */
export const LITERAL_COUNTS: usize = 4 * KIB;
/** u32[259]: the count of each match length. */
export const LENGTH_COUNTS: usize = LITERAL_COUNTS + 4 * KIB;
/** u32[286]: the frequency of each literal and length symbol. */
export const LITERAL_FREQUENCIES: usize = 12 * KIB;
/** u32[30]: the frequency of each distance symbol. */
export const DISTANCE_FREQUENCIES: usize = LITERAL_FREQUENCIES + 2 * KIB;
/** u32[19]: the frequency of each symbol of the code that describes the other two. */
export const CODE_LENGTH_FREQUENCIES: usize = DISTANCE_FREQUENCIES + 256;
/** u8[286], u8[30] and u8[19]: code lengths in bits. */
export const LITERAL_LENGTHS: usize = CODE_LENGTH_FREQUENCIES + 256;
export const DISTANCE_LENGTHS: usize = LITERAL_LENGTHS + 320;
export const CODE_LENGTH_LENGTHS: usize = DISTANCE_LENGTHS + 64;
/** u8[316]: the first two without their unused ends, one after the other. */
export const CODE_LENGTHS: usize = CODE_LENGTH_LENGTHS + 64;
/** u32[286], u32[30] and u32[19]: codes with their bits reversed, as deflate writes them. */
export const LITERAL_CODES: usize = 16 * KIB;
export const DISTANCE_CODES: usize = LITERAL_CODES + 2 * KIB;
export const CODE_LENGTH_CODES: usize = DISTANCE_CODES + 256;
/** u16[316]: the runs that describe the code lengths: a symbol, and its extra bits shifted left by 8. */
export const CODE_LENGTH_RUNS: usize = CODE_LENGTH_CODES + 256;
/** u32[256]: bits to write shifted left by 8, and their number. */
export const LITERAL_BITS: usize = 20 * KIB;
/** u32[259]: the same for a match length, code and extra bits in one. */
export const LENGTH_BITS: usize = LITERAL_BITS + KIB;
/** u64[30]: what is added to d << codeBits, the number of code bits shifted left by 32, and of all bits by 40. */
export const DISTANCE_BITS: usize = LENGTH_BITS + 2 * KIB;
/** u32[288] each, for making a code. */
export const SORT_A: usize = 24 * KIB;
export const SORT_B: usize = SORT_A + 2 * KIB;
/** u32[256] */
export const SORT_COUNTS: usize = SORT_B + 2 * KIB;
/** u32[16] each: the number of codes of each length, and the next code of each. */
export const DEPTH_COUNTS: usize = SORT_COUNTS + KIB;
export const NEXT_CODES: usize = DEPTH_COUNTS + 64;
/** Where an insertion goes that must not happen. */
export const NOWHERE: usize = NEXT_CODES + 64;

/** Where a parser remembers positions, by hash. */
export const HASH_TABLE: usize = 64 * KIB;
export const HASH_TABLE_BYTES: usize = 128 * KIB;
/** The literals of a deflate block, one after the other. */
export const LITERALS: usize = 192 * KIB;
/** u64 per match of a deflate block (sequences.ts). A match of 4 bytes is the shortest that a parser takes. */
export const SEQUENCES: usize = 256 * KIB;

/** The caller puts the input here. A multiple of 64 KiB: the low 16 bits of an address are those of the position. */
export const INPUT: usize = 384 * KIB;
/** The result. Stored blocks, the worst case, take 5 bytes each more than the input. */
export const OUTPUT: usize = INPUT + MEMBER_BYTES + 64 * KIB;
export const OUTPUT_BYTES: usize = MEMBER_BYTES + 64 * KIB;
