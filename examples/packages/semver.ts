/** semver: the newest version that each range allows. */
import semver from 'semver'

export default function resolve({ versions, ranges }: { versions: string[]; ranges: string[] }) {
  return {
    newest: ranges.map((range) => semver.maxSatisfying(versions, range)),
    sorted: semver.rsort([...versions]),
    next: semver.inc(versions[0] ?? '0.0.0', 'preminor', 'beta'),
    coerced: semver.coerce('v2 of 2024')?.version ?? null,
  }
}
