/** What keys that are not admitted try: every frame that there is, at every stage of a handshake, on every channel. */
import type { Envelope } from '../../protocol/envelope.ts'
import { BLOCKS_PROTOCOL, BlockFrame, type FrameOf, PEER_PROTOCOL, PeerFrame } from '../../protocol/frames.ts'
import { FRAME_BYTES_MAX } from '../../protocol/limits.ts'
import { Revocation } from '../../protocol/mesh.ts'
import type { PublishedFunction } from '../../registry/functions.ts'
import { type Schema, schemaOf } from '../protocol/arbitraries.ts'
import { blockFrameExamples, peerFrameExamples } from '../protocol/examples.ts'
import type { ScriptedPeer, Surroundings } from './scripted-peer.ts'

/** Who is attacked: what it has that is worth having. */
export interface Target {
  readonly peerId: string
  readonly address: string
  /** Which it holds, and would run. */
  readonly published: PublishedFunction
  /** A member, whom to slander. */
  readonly member: string
}

const typesOf = (message: { schema: unknown }): string[] =>
  (schemaOf(message.schema as never).options as Schema[]).map((one) => String(one.entries?.t?.literal))

/** The types of frames of which there is no example to send. */
export const typesWithoutExample = (): string[] => {
  const sent = new Set<string>([...peerFrameExamples, ...blockFrameExamples].map(({ t }) => t))
  return [...typesOf(PeerFrame), ...typesOf(BlockFrame)].filter((t) => !sent.has(t))
}

/** How far the handshake is when a frame comes. */
const STAGES = ['before any hello', 'behind a hello', 'behind a hello and a welcome', 'behind the goodbye'] as const

export interface Heard {
  /** `stage: type of the frame sent`. */
  readonly to: string
  /** Types of the frames that came. */
  readonly types: string[]
}

export class Uninvited<S extends Surroundings> {
  readonly #peer: ScriptedPeer<S>
  readonly #target: Target
  /** How long a real network may take. */
  readonly #settleMs: number

  constructor(peer: ScriptedPeer<S>, target: Target, settleMs: number) {
    this.#peer = peer
    this.#target = target
    this.#settleMs = settleMs
  }

  /** Sends all frames at all stages, and asks for blocks at each. Returns what came back. */
  async attack(): Promise<Heard[]> {
    const { network } = this.#peer.ports
    await this.#peer.world.until(network.connect(this.#target.address))
    const told = await this.#open(PEER_PROTOCOL)
    const hello = this.#hello()
    const heard: Heard[] = []
    const frames = [...peerFrameExamples, ...(await this.#madeGood(await told.helloOf()))]
    await told.end()
    for (const stage of STAGES) {
      for (const frame of frames) {
        const channel = await this.#open(PEER_PROTOCOL)
        if (stage !== 'before any hello') channel.send(hello)
        if (stage === 'behind a hello and a welcome') channel.send({ t: 'welcome', chain: [] })
        if (stage === 'behind the goodbye') await channel.ended()
        channel.send(frame)
        heard.push({ to: `${stage}: ${frame.t}`, types: await channel.end() })
      }
      heard.push(...(await this.#wantBlocks(stage, hello)))
    }
    return heard
  }

  /** Credentials are those of the scripted peer: none, or what holds no longer. */
  #hello(): FrameOf<'hello'> {
    const hello = this.#peer.hello()
    return this.#peer.mesh.chain.length > 0 ? hello : { ...hello, credential: { by: 'none' } }
  }

  /** On a channel of their own, while one for calls is at that stage. */
  async #wantBlocks(stage: (typeof STAGES)[number], hello: FrameOf<'hello'>): Promise<Heard[]> {
    const { manifest, cid } = this.#target.published
    const want: BlockFrame = { t: 'want', cids: [cid, ...manifest.code], send: true }
    const heard: Heard[] = []
    for (const frame of [...blockFrameExamples, want]) {
      const calls = await this.#open(PEER_PROTOCOL)
      if (stage !== 'before any hello') calls.send(hello)
      if (stage === 'behind the goodbye') await calls.ended()
      const blocks = await this.#open(BLOCKS_PROTOCOL)
      blocks.sendBlock(frame)
      heard.push({ to: `${stage}: block frame ${frame.t}`, types: await blocks.end() })
      await calls.end()
    }
    return heard
  }

  /** What a member would say, signed by this key, and what members have said, sent again. */
  async #madeGood(told: FrameOf<'hello'>): Promise<PeerFrame[]> {
    const peer = this.#peer
    const { published, member } = this.#target
    const advertise = await peer.advertisement({ slots: 4, free: 4 })
    const record = { v: 1 as const, mesh: peer.meshId, peer: member, revoked_ms: peer.world.clock.now(), chain: [] }
    const revoked = await peer.sign('revocation', [Revocation.encode(record)])
    const chain: Envelope[] = told.credential.by === 'membership' ? told.credential.chain : []
    return [
      told,
      { ...this.#hello(), credential: { by: 'membership', chain } },
      { t: 'welcome', chain },
      advertise,
      { t: 'peers', signed: [advertise.signed] },
      { t: 'revocations', signed: revoked },
      await peer.invoke(published, [1, 2, 3]),
    ]
  }

  async #open(protocol: string) {
    const { world, ports } = this.#peer
    const open = ports.network.open(this.#target.peerId, protocol, { frameBytesMax: FRAME_BYTES_MAX })
    const channel = await world.until(open)
    const heard: { t: string }[] = []
    const ended = new Promise<string>((resolve) => {
      const message = protocol === PEER_PROTOCOL ? PeerFrame : BlockFrame
      channel.receive({ frame: (bytes) => void heard.push(message.decode(bytes)), closed: resolve })
    })
    const settled = () => Promise.race([ended, world.clock.advance(this.#settleMs)])
    return {
      send: (frame: PeerFrame) => void channel.send(PeerFrame.encode(frame)),
      sendBlock: (frame: BlockFrame) => void channel.send(BlockFrame.encode(frame)),
      ended: () => world.until(ended),
      helloOf: async () => {
        while (!heard.some(({ t }) => t === 'hello')) await world.clock.advance(1)
        return heard.find(({ t }) => t === 'hello') as FrameOf<'hello'>
      },
      /** What had come by then. */
      end: async () => {
        await settled()
        channel.close()
        await settled()
        return heard.map(({ t }) => t)
      },
    }
  }
}
