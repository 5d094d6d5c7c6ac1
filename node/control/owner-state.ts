/** The state of a home, as its owner's commands read and change it. */
import type { OwnStep } from '../../peer/state/moving.ts'
import type { OwnerAccess } from '../../peer/state/owner-access.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type AgentFrame, type CommandFrameOf, ITEM_BYTES } from './frames.ts'

export type WireChange = Extract<AgentFrame, { t: 'state_changes' }>['changes'][number]

export const changeBytes = ({ key, value }: WireChange): number => ITEM_BYTES + key.length + (value?.length ?? 0)

/** A page of a list in one frame, however large its values are. */
const PAGE_BYTES_MAX = 4 * 2 ** 20

type Asked = CommandFrameOf<'state_get' | 'state_put' | 'state_list' | 'state_move' | 'state_load'>

/** Throws MeshError E_USAGE for a step that lacks what belongs to it. */
const stepOf = ({ step, move, where }: CommandFrameOf<'state_move'>): OwnStep => {
  if (step === 'leave' && where !== null) return { step, where }
  if (step === 'arrive' && move !== null) return { step, move, ...(where !== null && { to: where }) }
  if (step === 'settle' && move !== null) return { step, move }
  if (step === 'left' || step === 'stay' || step === 'delete') return { step }
  throw new MeshError('E_USAGE', `${step}: which move, or where to, is not said`)
}

export const answerState = async (state: OwnerAccess, frame: Asked): Promise<AgentFrame> => {
  const { id, namespace } = frame
  switch (frame.t) {
    case 'state_get': {
      const { version, value = null } = await state.get(namespace, frame.key)
      return { t: 'state_entry', id, version, value }
    }
    case 'state_put':
      return { t: 'state_written', id, revision: await state.put(namespace, frame.key, frame.value ?? undefined) }
    case 'state_move': {
      const mark = await state.move(namespace, stepOf(frame))
      return { t: 'state_move_noted', id, state: mark?.state ?? null, move: mark?.move ?? null }
    }
    case 'state_load':
      await state.load(namespace, frame.move, frame.entries)
      return { t: 'state_loaded', id }
    case 'state_list': {
      const { prefix, after, limit, revision, arriving } = frame
      const range = { namespace, prefix, after: after ?? undefined, limit }
      const page = await state.list(range, revision ?? undefined, arriving ?? undefined)
      let bytes = 0
      const entries = page.entries
        .map(({ key, version, value }) => ({ key, version, value: value as Uint8Array }))
        .filter(({ value }, i) => {
          bytes += value.length
          return i === 0 || bytes <= PAGE_BYTES_MAX
        })
      return {
        t: 'state_page',
        id,
        revision: page.revision,
        entries,
        more: page.more || entries.length < page.entries.length,
      }
    }
  }
}
