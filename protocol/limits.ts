/** Every limit on what a stranger can send, with its reason. Units come last. */

export const KIB = 1024
export const MIB = 1024 * KIB

/** A photograph or a long document fits; a batch of them does not stall a stream for long. */
export const INPUT_BYTES_MAX = 4 * MIB
export const OUTPUT_BYTES_MAX = 4 * MIB
/** The largest outcome (an output of full size, its requests and console), and what stands around it in a frame. */
export const FRAME_BYTES_MAX = 5 * MIB + 64 * KIB
/** Until the handshake has ended: the largest hello, with a ticket and every feature. Strangers send nothing else. */
export const HANDSHAKE_FRAME_BYTES_MAX = 64 * KIB
/**
 * Things in one message, those inside others counted and keys not. A full journal has 130,000; reading 5 MiB of empty
 * things instead would take a second and half a gigabyte.
 */
export const MESSAGE_ITEMS_MAX = 262_144
/** The body of an HTTP request: as an input it has its address and headers beside it. One of a response is an output. */
export const HTTP_BODY_BYTES_MAX = 4032 * KIB
/** The address and headers of an HTTP request, in or out: what browsers send with many cookies. */
export const HTTP_HEAD_BYTES_MAX = 16 * KIB
/** From the first byte of an HTTP request to its last: they come from this machine, and whoever dawdles holds a connection. */
export const HTTP_REQUEST_MS_MAX = 10_000
/** Connections of one HTTP server: a page opens six, a load test some dozens. */
export const HTTP_CONNECTIONS_MAX = 256
/** Nesting of a Value. Deep enough for real JSON, shallow enough for every recursive reader. */
export const VALUE_DEPTH_MAX = 128
/** Blocks travel and are verified whole; chunks interleave on the bulk channel. */
export const BLOCK_BYTES_MAX = 1 * MIB
export const BLOCK_CHUNK_BYTES = 64 * KIB
/** A bundled function with its dependencies. The largest bundles seen in practice are some 4 MiB. */
export const CODE_BYTES_MAX = 8 * MIB
/** WebAssembly modules that a JavaScript function is bundled with: each is checked and compiled before the first call. */
export const MODULES_MAX = 16
/** Console text kept per run; part of the outcome. */
export const CONSOLE_BYTES_MAX = 64 * KIB
export const CONSOLE_LINES_MAX = 1000
/** At executors, of one item: a long one loses them to nights and to updates, and no two at once. */
export const ATTEMPTS_MAX = 1000
/** Requests of one invocation. */
export const REQUESTS_MAX = 10_000
/** Bindings in a function's `env`: people write them by hand, and each is made before every call. */
export const BINDINGS_MAX = 64
/** The value of an entry, encoded: a function of default memory has room for half of it. */
export const STATE_VALUE_BYTES_MAX = 32 * MIB
/** The same as it stands in a request. Engines of now name what is larger than a block by its blocks; those before put no more. */
export const STATE_PUT_BYTES_MAX = 1 * MIB
/** A block of a value that is larger: two of them, and what stands around them, fit a request to etcd. Source: its default, 1.5 MiB. */
export const STATE_BLOCK_BYTES = 512 * KIB
/** Blocks of all answers of one invocation: the largest value and a page of a list, which fill the memory of most functions. */
export const ANSWER_BLOCKS_MAX = 80
/** Blocks of all that one invocation puts: as many as it may read. */
export const PUT_BLOCKS_MAX = ANSWER_BLOCKS_MAX
/** Entries in one page of a list: with keys alone some 256 KiB. */
export const LIST_ENTRIES_MAX = 1000
/** Reads that travel with an item, guessed by its home: functions of steps read some keys; whoever reads more waits once more. */
export const GUESSES_MAX = 16
/** A guessed answer, encoded: what is larger takes longer on its way than to be asked for. */
export const GUESS_BYTES_MAX = 16 * KIB
/** Arguments of a guessed read: two keys and the name of a binding, encoded. */
export const GUESS_ARGUMENTS_BYTES_MAX = 2 * KIB
/** Bytes of one request for randomness: what `crypto.getRandomValues` gives at once. Source: W3C Web Cryptography API, 10.1.1. */
export const RANDOM_BYTES_MAX = 65_536
/** The address of a request to a server: what servers take is 8,000 octets. Source: RFC 9110, 4.1. */
export const URL_CHARS_MAX = 8192
/** Headers of one: more than any interface asks for. All with the address: HTTP_HEAD_BYTES_MAX. */
export const HEADERS_MAX = 128
/** Nested calls. */
export const CALL_DEPTH_MAX = 16
/** Those of one durable invocation that change something, at a time: each is an invocation of its own, held in memory; others wait. */
export const NESTED_RUNNING_MAX = 16
/** What a caller grants, on its way to a home: 64 bindings, each with 64 origins of 200 characters. */
export const GRANTS_BYTES_MAX = MIB
/** A home goes on for a caller that is gone for so long: over a weekend and a holiday. */
export const DELEGATION_MS_MAX = 7 * 24 * 60 * 60 * 1000
/** Durable invocations of one caller that is not the home itself, at a time. */
export const DELEGATED_RUNNING_MAX = 64
/** Delegations that a caller is told of at once: it has more only where its home has taken over what others ran. */
export const DELEGATIONS_TOLD_MAX = 256
/** Items of one invoke frame. */
export const BATCH_ITEMS_MAX = 1024
/** How long a copy of an item may be held back for another. One that would have to wait longer helps nobody. */
export const HOLD_MS_MAX = 10_000
/** Neighbours whose advertisements are kept and refreshed (16 in pages). */
export const NEIGHBOURS_MAX = 64
/** Peers in the answer to a look-up: a quarter of a table; whoever wants more asks again. */
export const FOUND_MAX = 16
/** Addresses of one of them: they are tried in turn. */
export const FOUND_ADDRESSES_MAX = 4
/** A cell of the coordinate space, as text: three numbers. */
export const CELL_CHARS_MAX = 32
/** Addresses in a ticket or an advertisement. */
export const ADDRESSES_MAX = 16
export const ADDRESS_CHARS_MAX = 256
/** Axes of a network coordinate, besides its height: between cities three err no more than four. */
export const COORDINATE_AXES = 3
/** Of an axis and of a height: no round trip on Earth that a call can use takes longer than two of them. */
export const COORDINATE_US_MAX = 1_000_000
/** A membership chain from the operator to the newest member. */
export const CHAIN_MAX = 8
/** Revocations that a peer keeps: enough for a mesh of thousands, some 6 MB at most of what members sign. */
export const REVOCATIONS_MAX = 1024
/** Revocations in one frame: of full size they come to 2 MiB. */
export const REVOCATIONS_FRAME_MAX = 64
export const NAME_CHARS_MAX = 128
export const MESSAGE_CHARS_MAX = 4096

/** Fuel: 1 = one poll of the interpreter, or as much work elsewhere in the engine; limits round up to its tick of 10,000. */
export const FUEL_TICK = 10_000
export const TICKS_MAX = 100_000_000
export const FUEL_MAX = TICKS_MAX * FUEL_TICK
export const FUEL_DEFAULT = 10_000_000_000
/** Hashes of memory that a receipt carries at most: of twice as many every other one is dropped. With 3 KB it fits its frame. */
export const TRACE_POINTS_MAX = 64
/**
 * A run is due for a checkpoint at its first rest behind each so many ticks: a second of a loop, up to seven of built-ins. One
 * costs some 5 ms, so that by Young's interval √(2CS) a tab that lends for 410 s would take one every 2 s.
 */
export const CHECKPOINT_TICKS = 2000
/**
 * It is due as well at its first rest behind each so many answers: to take one, with what it asks next, a guest needs little fuel,
 * but up to 0.3 ms, and in a process that has just started twice that.
 */
export const CHECKPOINT_ANSWERS = 100
/** With it an executor is told where to go on; what is larger takes longer to be sent, kept and loaded than most runs take. */
export const CHECKPOINT_BYTES_MAX = 6 * MIB
/** Blocks of a full one. */
export const CHECKPOINT_BLOCKS_MAX = 6
/** Booked at most of an attempt that its invoker cancelled: what a usual machine does in a round trip around the world. */
export const CANCELLED_FUEL_MAX = 5_000_000
/** The engine's own memory is 16 MiB at rest; the most a 32-bit memory can grow to is 4 GiB, half of it is plenty. */
export const MEMORY_BYTES_MIN = 16 * MIB
export const MEMORY_BYTES_MAX = 2048 * MIB
export const MEMORY_BYTES_DEFAULT = 64 * MIB
export const TIMEOUT_MS_DEFAULT = 5 * 60_000
export const TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000

/** A key of the state: a path or a few names; indexes hold it many times. UTF-8. */
export const STATE_KEY_BYTES_MAX = 256
/** What names a transaction: an invocation's CID and a number of its step, with room. */
export const STATE_ID_CHARS_MAX = 128
/** A namespace, as text: one label of a host name and a dot before it. */
export const STATE_NAMESPACE_CHARS_MAX = 64
