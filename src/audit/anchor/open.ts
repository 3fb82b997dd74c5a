import type { AnchorConfig } from '../../config/schema.ts'
import { MistakesError } from '../../core/errors.ts'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { Anchor } from './anchor.ts'
import { readWitnessKey } from './cosignature.ts'
import { fileKeeper, objectKeeper } from './keeper.ts'
import { Witness } from './witness.ts'

/** Throws a `MistakesError` for a malformed witness key. */
export function openAnchors(
  configs: readonly AnchorConfig[],
  deps: { readonly store: Store; readonly log: Log },
): Anchor[] {
  return configs.map(({ file, s3, every, witness }) => {
    const keeper = s3 ? objectKeeper(s3) : fileKeeper(file!)
    const cosigner = witness ? openWitness(witness, deps.store) : null
    return new Anchor({ keeper, every, witness: cosigner, ...deps })
  })
}

function openWitness({ url, key }: NonNullable<AnchorConfig['witness']>, store: Store): Witness {
  const known = readWitnessKey(key)
  if (known) return new Witness(url, known, store)
  throw new MistakesError([
    {
      file: 'audit.anchor',
      message: `${key} is no verifier key of a witness with Ed25519: its parts do not belong together.`,
      remedy: 'Copy it from where the witness publishes it.',
    },
  ])
}
