/** `wayside invite`: a ticket with which another machine joins. */
import { MeshError } from '../../protocol/errors.ts'
import { parseDuration } from '../../sdk/bundle/units.ts'
import { INVITE_MS_DEFAULT, INVITE_MS_MAX, INVITE_MS_MIN } from '../control/frames.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { note, print, printJson } from './terminal.ts'
import { durationWords } from './words.ts'

const lifeMsOf = (text: string | undefined): number => {
  if (text === undefined) return INVITE_MS_DEFAULT
  const lifeMs = parseDuration(text)
  if (lifeMs !== undefined && lifeMs >= INVITE_MS_MIN && lifeMs <= INVITE_MS_MAX) return lifeMs
  throw new MeshError('E_USAGE', `--for ${text}: a ticket can hold from 1s to 720h; write 10m or 24h`)
}

/** The ticket alone goes to stdout. */
export const invite = async (flags: OwnerFlags & { for?: string }): Promise<undefined> => {
  const lifeMs = lifeMsOf(flags.for)
  const { ticket, expires_ms } = await withAgent(flags, (client) =>
    client.ask({ t: 'invite', life_ms: lifeMs }, 'invited'),
  )
  if (flags.json) return void (await printJson({ ticket, expires_ms }))
  await print(`${ticket}\n`)
  note(`for \`wayside up --join TICKET\` on another machine; it admits whoever has it, for ${durationWords(lifeMs)}`)
}
