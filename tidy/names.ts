/** Rules on names and on text, for files of every kind. */

const SOURCE_NAME =
  /^[a-z0-9]+(-[a-z0-9]+)*(\.(process|world|chromium|firefox|etcd|torture|kills|as))?(\.(test|config|d))?\.(ts|js|cjs|mjs)$/
const FOLDER_NAME = /^\.?[a-z0-9]+(-[a-z0-9]+)*$/
const ATTIC = /^(utils?|helpers?|common|types|misc)$/

export const nameViolations = (path: string): string[] => {
  const segments = path.split('/')
  const name = segments.at(-1)!
  const folders = segments.slice(0, -1)
  const attic = [...folders, name.split('.')[0]!].find((segment) => ATTIC.test(segment))
  const found = attic ? [`${path}: "${attic}" says nothing; name it after what it holds`] : []
  const isSource = /\.[cm]?[jt]s$/.test(name)
  if ((isSource && !SOURCE_NAME.test(name)) || !folders.every((folder) => FOLDER_NAME.test(folder)))
    found.push(`${path}: names are in kebab-case`)
  return found
}

/** Folders in which people and build machines keep checkouts; a path into one holds on a single machine. */
const MACHINE_PATH = /(?<![\w./-])(\/(home|Users|root|work|workspaces?|builds|mnt)\/[\w.]|[A-Za-z]:\\\\?Users\\)/

export const machinePathViolations = (path: string, text: string): string[] =>
  text
    .split('\n')
    .flatMap((line, index) => (MACHINE_PATH.test(line) ? [`${path}:${index + 1}: a path of one machine`] : []))

/** The lock file names versions and hashes; where a package comes from is the user's setting. */
export const lockFileViolations = (path: string, text: string): string[] => {
  const { packages } = JSON.parse(text) as { packages: Record<string, { resolved?: string; link?: boolean }> }
  return Object.entries(packages)
    .filter(([, { resolved, link }]) => resolved !== undefined && !link)
    .map(([name]) => `${path}: ${name} names its registry`)
}

const LAYOUT = new Set([
  ...['protocol', 'sandbox', 'registry', 'peer', 'sdk', 'node', 'browser-agent', 'simulations'],
  ...['bench', 'examples', 'docs', 'scripts', 'bin', 'tidy'],
])

/** The folders at the top are those of the design, each with a README. */
export const layoutViolations = (paths: readonly string[]): string[] => {
  const folders = new Set(
    paths.filter((path) => path.includes('/') && !path.startsWith('.')).map((path) => path.split('/')[0]!),
  )
  return [...folders].flatMap((folder) => [
    ...(LAYOUT.has(folder) ? [] : [`${folder}/: no folder of the layout`]),
    ...(paths.includes(`${folder}/README.md`) ? [] : [`${folder}/: has no README.md`]),
  ])
}
