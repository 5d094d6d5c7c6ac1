/** uuid: named, random and ordered ones. */
import { NIL, parse, stringify, v4, v5, v7, validate, version } from 'uuid'

export default function identify(names: string[]) {
  const ordered = [v7({ msecs: 1_700_000_000_000 }), v7({ msecs: 1_700_000_000_001 })]
  return {
    named: names.map((name) => v5(name, v5.DNS)),
    random: [version(v4()), validate(v4()), new Set([v4(), v4()]).size === 2],
    ordered: ordered.toSorted().join() === ordered.join(),
    round: stringify(parse('109156be-c4fb-41ea-b1b4-efe1671c5836')),
    nil: validate(NIL),
  }
}
