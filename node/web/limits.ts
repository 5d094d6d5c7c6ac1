/** What whoever asks for files can make an agent hold, each with its reason. Units come last. */
import { KIB } from '../../protocol/limits.ts'

/** An engine of 300 KiB comes in that time over 30 kbit/s; whoever reads more slowly does not want it. */
export const WEB_RESPONSE_MS_MAX = 90_000
/** A file of the build, held in memory beside its gzip form. The largest, the engine, has 1 MiB. */
export const WEB_FILE_BYTES_MAX = 8192 * KIB
