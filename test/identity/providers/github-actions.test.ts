import { beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from './provider.ts'

/** Tokens of GitHub Actions. */

let github: Provider
beforeAll(async () => {
  github = await startProvider('github-actions')
})

const job = {
  aud: 'sallyport',
  sub: 'repo:acme/billing:environment:production',
  ref: 'refs/heads/main',
  sha: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
  repository: 'acme/billing',
  repository_id: '74',
  repository_owner: 'acme',
  repository_owner_id: '65',
  repository_visibility: 'private',
  run_id: '1234',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
  actor: 'octocat',
  actor_id: '12',
  workflow: 'refunds',
  workflow_ref: 'acme/billing/.github/workflows/refund.yml@refs/heads/main',
  job_workflow_ref: 'acme/automation/.github/workflows/refund.yml@refs/heads/main',
  event_name: 'workflow_dispatch',
  ref_type: 'branch',
  environment: 'production',
}

test('a job is an agent, its workflow a group, and whoever started it its owner', async () => {
  const { subject } = await github.whoIs(job, { typ: 'JWT', x5t: 'x' })
  expect(subject).toMatchObject({
    subject: 'repo:acme/billing:environment:production',
    kind: 'agent',
    groups: ['acme/automation/.github/workflows/refund.yml@refs/heads/main'],
    owner: { issuer: github.issuer, subject: 'octocat' },
  })
})

test('another repository is another subject, although its token is as good', async () => {
  const foreign = {
    ...job,
    sub: 'repo:mallory/billing:environment:production',
    job_workflow_ref: 'mallory/x/.github/workflows/x.yml@refs/heads/main',
  }
  const { subject } = await github.whoIs(foreign)
  expect(subject).toMatchObject({
    subject: 'repo:mallory/billing:environment:production',
    groups: ['mallory/x/.github/workflows/x.yml@refs/heads/main'],
  })
})

test('the audience that GitHub writes by itself is not ours', async () => {
  expect(await github.refusal({ ...job, aud: 'https://github.com/acme' })).toBe('wrong-audience')
})
