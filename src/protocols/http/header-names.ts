import { remembered } from './remembered.ts'

/**
 * Headers for the next hop (RFC 9110 §7.6.1), or for this gateway. They end here, and the gateway
 * sets its own where one is needed.
 */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Headers in which proxies tell an upstream who is calling, and from where. Upstreams believe them,
 * so what an agent sends in them is dropped.
 */
const identity: ReadonlySet<string> = new Set([
  'cf-connecting-ip',
  'client-ip',
  'fastly-client-ip',
  'forwarded',
  'forwarded-for',
  'front-end-https',
  'remote-email',
  'remote-groups',
  'remote-name',
  'remote-user',
  'true-client-ip',
  'via',
  'x-account-id',
  'x-auth-email',
  'x-auth-groups',
  'x-auth-roles',
  'x-auth-user',
  'x-authenticated-email',
  'x-authenticated-groups',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-client-cert',
  'x-client-dn',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-consumer-custom-id',
  'x-consumer-id',
  'x-consumer-username',
  'x-email',
  'x-forwarded',
  'x-goog-iap-jwt-assertion',
  'x-group',
  'x-groups',
  'x-host',
  'x-original-forwarded-for',
  'x-original-host',
  'x-originating-ip',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-role',
  'x-roles',
  'x-user',
  'x-user-email',
  'x-user-groups',
  'x-user-id',
  'x-user-name',
  'x-user-role',
  'x-user-roles',
  'x-userid',
  'x-username',
])

/** Families of such headers. */
const identityFamily =
  /^(?:x-forwarded-|x-remote-|x-auth-request-|x-goog-authenticated-|x-amzn-oidc-|x-ms-client-principal|cf-access-|x-pomerium-|x-authentik-|x-webauth-|x-ssl-client-|ssl-client-|x-credential-|x-envoy-|tailscale-user-|teleport-|oidc-claim-|sm-|x-appengine-|x-azure-|x-vouch-)/

export const claimsIdentity = remembered((name) => identity.has(name) || identityFamily.test(name))

/**
 * Whether a header makes some servers run another method, another path or another person's request
 * than policy saw, or skip their own checks (`X-Middleware-Subrequest`, Next.js CVE-2025-29927).
 * Dropping it would run something that the agent did not mean, so such a request is refused.
 */
export function overridesRequest(name: string): boolean {
  return overrides.has(name) || /^(?:impersonate-|x-middleware-)/.test(name)
}

const overrides: ReadonlySet<string> = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-override-url',
  'x-rewrite-url',
])

/**
 * Headers that differ between tries of a request without changing what it asks for: trace context,
 * request ids, retry counters. They are not in the digest, so that a retry is the same action, and
 * are not forwarded with a held action, since nobody approved them.
 */
export const volatile: ReadonlySet<string> = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'b3',
  'baggage',
  'client-request-id',
  'date',
  'request-id',
  'sentry-trace',
  'tracestate',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-b3-flags',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-cloud-trace-context',
  'x-correlation-id',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
  'x-goog-request-id',
  'x-ms-client-request-id',
  'x-ms-retry-count',
  'x-request-id',
  'x-retry-attempt',
  'x-retry-count',
  'x-stainless-retry-count',
  'x-trace-id',
])

/**
 * Headers that are lists by definition, so that several lines make one list (RFC 9110 §5.3). Any
 * other may occur only once: of two, one server takes the first, another the last.
 */
export const repeatable: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'baggage',
  'cache-control',
  'connection',
  'content-digest',
  'content-encoding',
  'content-language',
  'forwarded',
  'if-match',
  'if-none-match',
  'link',
  'pragma',
  'prefer',
  'repr-digest',
  'signature',
  'signature-input',
  'te',
  'trailer',
  'tracestate',
  'via',
  'want-content-digest',
  'want-repr-digest',
  'warning',
  'x-forwarded-for',
])

const secret =
  /(?:^|-)(?:access-?token|api-?token|auth|auth-?token|authentication|authorization|bearer|cookie|credentials?|csrf|dpop|jwt|key|apikey|otp|pass|passphrase|password|passwd|pin|pwd|secret|session|sessionid|sid|signature|token|xsrf)(?:-|$)/

/**
 * Whether a header probably holds a credential, whose value is neither recorded nor shown. Judged
 * by its name alone, which the upstream has to know: if the value counted, an agent could hide
 * whatever it likes.
 */
export const holdsSecret = remembered((name) => name !== 'idempotency-key' && secret.test(name))
