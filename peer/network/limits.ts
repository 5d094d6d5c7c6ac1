/** What a stranger can make the network layer hold or do, each with its reason. Units come last. */
import { FRAME_BYTES_MAX, KIB, MIB } from '../../protocol/limits.ts'

/** A pair of peers keeps one channel for calls and a few for blocks; the rest is room for reconnecting. */
export const CHANNELS_PER_PROTOCOL_MAX = 64
/** All protocols of a connection together, those still being negotiated included; a stream above it is reset at once. */
export const STREAMS_PER_CONNECTION_MAX = 256
/** The neighbours (64), callers that come and go, and peers still shaking hands; libp2p refuses or closes the rest. */
export const CONNECTIONS_MAX = 256
/** Handshakes at a time. Each costs some 3 ms of processor; a room full of agents that start together must get in. */
export const CONNECTIONS_PENDING_MAX = 64
/** New connections per second from one IP address, which may be a household or an office: under a tenth of one core. */
export const CONNECTIONS_PER_ADDRESS_PER_SECOND_MAX = 32
/** Dialling, with DNS and all handshakes. */
export const DIAL_TIMEOUT_MS = 10_000
/** Two peers that agree on a direct way over a relay: candidates that lead nowhere say so by silence. */
export const AGREEMENT_TIMEOUT_MS = 5_000
/** A connection or stream that has not said what it wants by then never will. */
export const NEGOTIATION_TIMEOUT_MS = 10_000

/** What the other side may send before we read: 10 MiB/s over 100 ms of round trip. */
export const STREAM_WINDOW_BYTES_MAX = 1 * MIB
/** Unread bytes of one stream: a full window, and as much again while a channel is handed over. */
export const STREAM_UNREAD_BYTES_MAX = 2 * STREAM_WINDOW_BYTES_MAX
/** One muxer frame: it can never be larger than the window, so one that says it is lies. With the chunk read last. */
export const MUXER_UNPARSED_BYTES_MAX = STREAM_WINDOW_BYTES_MAX + 128 * KIB
/** Bytes that a socket does not take: a write of each of 32 busy channels, or 700,000 answers to one who reads none. */
export const CONNECTION_UNSENT_BYTES_MAX = 8 * MIB

/** All connections together, unread and unsent: a few that are held up; more is a crowd that does not read, or floods. */
export const HELD_BYTES_MAX = 256 * MIB
/** Peers without a connection whose addresses and keys libp2p still knows, a kilobyte each. */
export const DEPARTED_PEERS_MAX = 1024

/** Whoever connects and opens nothing has nothing to say. */
export const IDLE_CONNECTION_MS = 10_000
/** How often these two are looked at. */
export const CROWD_EVERY_MS = 500

/** One WebSocket message; Noise's own have up to 64 KiB, and those that wait leave together. A longer one ends its connection. */
export const MESSAGE_BYTES_MAX = 128 * KIB

/** Frames taken off the stream and not yet delivered; then it is paused and the window fills. */
export const CHANNEL_UNDELIVERED_BYTES_MAX = 256 * KIB
/**
 * Frames read of one channel. The busiest honest one brings 4,000 a second (1,300 calls one at a time, three frames each):
 * whatever comes in crowds comes many to a frame. The burst is what waits after a minute of silence.
 */
export const FRAMES_PER_SECOND_MAX = 10_000
export const FRAMES_BURST_MAX = 20_000
/** A frame counts once more for as many bytes: at 1 Gbit/s they come no faster. */
export const PACED_FRAME_BYTES = 16 * KIB
/** `send` returns false from here, `drained` waits for half of it: some frames at work while others are written. */
export const CHANNEL_UNSENT_BYTES = 1 * MIB
/** A sender that does not wait for `drained`, because the other side does not read, loses the channel here. */
export const CHANNEL_UNSENT_BYTES_MAX = 8 * FRAME_BYTES_MAX

/** The other side has that long to close its half of a channel; then it is reset. */
export const CHANNEL_LINGER_MS = 5_000
/** The other side has that long to agree to the end of a connection; then it is cut. */
export const HANG_UP_MS = 1000

/** A relay carries for its neighbours, of which it has as many. */
export const RELAY_RESERVATIONS_MAX = 64
/** Whoever is still there renews; who has gone without a word is not kept for longer. */
export const RELAY_RESERVATION_MS = 60 * 60_000
/** Connections carried at a time: those that agree on a direct way end within seconds, some find none. */
export const RELAY_CIRCUITS_MAX = 128
/** Of one peer, either way: a page may fail to find a direct way to all others of a small mesh. */
export const RELAY_CIRCUITS_PER_PEER_MAX = 32
/** Begun by one peer at once, and then one each 5 s: 0.8 MiB/s of one peer, if each carries all that it may. */
export const RELAY_CIRCUITS_BURST_MAX = 32
export const RELAY_CIRCUIT_EVERY_MS = 5_000
/** Of one connection, both ways together: to agree takes 10 KiB; without a direct way, some hundred calls and a function. */
export const RELAY_CIRCUIT_BYTES_MAX = 4 * MIB
/** Then a direct way is tried again. */
export const RELAY_CIRCUIT_MS_MAX = 10 * 60_000
