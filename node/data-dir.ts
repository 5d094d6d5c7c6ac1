/** The data directory: everything that an agent keeps. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export const DATA_DIR_DEFAULT = join(homedir(), '.wayside')

/** How messages name a data directory, and what to write after a command for it: nothing for the default one. */
export const shownDataDir = (data: string): { shown: string; flag: string } => {
  const home = homedir()
  const shown = data.startsWith(`${home}/`) ? `~/${data.slice(home.length + 1)}` : data
  return { shown, flag: resolve(data) === DATA_DIR_DEFAULT ? '' : ` --data ${shown}` }
}
