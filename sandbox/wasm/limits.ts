/** What a module may have at most. A stranger sends modules, and hosts compile them: each limit bounds time or memory of that. */
import { KIB, MIB } from '../../protocol/limits.ts'

/** The largest programs in C and Rust that are not compilers or browsers have some 3 MiB; hosts compile this in seconds. */
export const MODULE_BYTES_MAX = 4 * MIB
/** Of one function with its charges. Optimising compilers take more than linear time over one. */
export const BODY_BYTES_MAX = 256 * KIB
/**
 * Over all functions, values in a frame times places where ways meet or part. V8's simple compiler takes 12 ns for one
 * (measured with 512 locals and 37,000 blocks a function), and 6.4 bytes until a function is done: 100 MB for the most
 * that may be. The QuickJS engine in C comes to 1.1 million.
 */
export const COMPILE_WORK_MAX = 16 * MIB
export const TYPES_MAX = 4096
export const IMPORTS_MAX = 256
export const FUNCTIONS_MAX = 65_536
export const GLOBALS_MAX = 4096
export const EXPORTS_MAX = 1024
export const NAME_BYTES_MAX = 256
/** A module has one table, of functions to call indirectly. A host allocates it whole. */
export const TABLE_ENTRIES_MAX = 65_536
export const SEGMENTS_MAX = 16_384
export const PARAMETERS_MAX = 128
export const RESULTS_MAX = 16
/** Parameters and locals of a function: a stack frame, and initialised at each call. */
export const LOCALS_MAX = 4096
/** Blocks in blocks: a switch of so many cases. */
export const NESTING_MAX = 4096
/** Targets of one `br_table`. */
export const TARGETS_MAX = 16_384
/** Memory is at most what a task may ask for, and at most 4 GiB. */
export const PAGE_BYTES = 64 * KIB
