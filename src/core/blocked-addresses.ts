import { BlockList } from 'node:net'

/**
 * Addresses that are never dialled: link-local ones, where clouds hand out a machine's credentials,
 * and metadata services elsewhere. The address that is dialled is checked for each connection, so
 * that a name which changes its address (DNS rebinding) does not get past.
 */
export const blockedAddresses = new BlockList()

blockedAddresses.addSubnet('169.254.0.0', 16, 'ipv4')
blockedAddresses.addSubnet('fe80::', 10, 'ipv6')
// The same addresses through NAT64 (RFC 6052 §2.1), which would carry packets to the IPv4 address.
blockedAddresses.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
blockedAddresses.addAddress('fd00:ec2::254', 'ipv6')
blockedAddresses.addAddress('100.100.100.200', 'ipv4')
blockedAddresses.addAddress('168.63.129.16', 'ipv4')
blockedAddresses.addAddress('192.0.0.192', 'ipv4')
