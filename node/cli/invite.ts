/** `wayside invite`: a ticket with which another machine joins. */
import { OWN_TICKET_MS_MAX } from '../../peer/membership.ts'
import { MeshError } from '../../protocol/errors.ts'
import { parseDuration } from '../../sdk/bundle/units.ts'
import { INVITE_MS_DEFAULT, INVITE_MS_MAX, INVITE_MS_MIN, INVITE_OWN_MS_DEFAULT } from '../control/frames.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { note, print, printJson } from './terminal.ts'
import { durationWords } from './words.ts'

const lifeMsOf = (text: string | undefined, own: boolean): number => {
  const [defaultMs, mostMs] = own ? [INVITE_OWN_MS_DEFAULT, OWN_TICKET_MS_MAX] : [INVITE_MS_DEFAULT, INVITE_MS_MAX]
  if (text === undefined) return defaultMs
  const lifeMs = parseDuration(text)
  if (lifeMs !== undefined && lifeMs >= INVITE_MS_MIN && lifeMs <= mostMs) return lifeMs
  const most = own
    ? `a ticket for a machine of yours can hold from 1s to ${mostMs / 60_000}m`
    : `a ticket can hold from 1s to ${mostMs / 3_600_000}h`
  throw new MeshError('E_USAGE', `--for ${text}: ${most}; write 10m`)
}

/** The ticket alone goes to stdout. */
export const invite = async (flags: OwnerFlags & { for?: string; own?: boolean }): Promise<undefined> => {
  const own = flags.own ?? false
  const lifeMs = lifeMsOf(flags.for, own)
  const { ticket, expires_ms } = await withAgent(flags, (client) =>
    client.ask({ t: 'invite', life_ms: lifeMs, own }, 'invited'),
  )
  if (flags.json) return void (await printJson({ ticket, expires_ms, own }))
  await print(`${ticket}\n`)
  const life = durationWords(lifeMs)
  note(
    own
      ? `for \`wayside up --own --join TICKET\` on another machine of yours, once, within ${life}; whoever has it is you`
      : `for \`wayside up --join TICKET\` on another machine; it admits whoever has it, for ${life}`,
  )
}
