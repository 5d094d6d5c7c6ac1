/** A colour for each peer, the same on the map and on its tiles: cool ones are tabs, warm ones node agents. */
import type { MapNode } from '../events.ts'

const TABS = ['#5eead4', '#7dd3fc', '#a5b4fc', '#86efac', '#67e8f9', '#c4b5fd', '#bef264', '#93c5fd']
const AGENTS = ['#fbbf6b', '#fda4af', '#fdba74', '#f0abfc', '#fcd34d', '#fca5a5']
const HOME = 'var(--ink)'

export const colourOf = ({ kind, name }: Pick<MapNode, 'kind' | 'name'>): string => {
  if (kind === 'home') return HOME
  const colours = kind === 'tab' ? TABS : AGENTS
  const number = Number(/\d+$/.exec(name)?.[0] ?? 1)
  return colours[(number - 1) % colours.length] as string
}
