/**
 * The part of the AWS IoT Device SDK v2 for JavaScript (npm: aws-iot-device-sdk-v2) that the agent uses. The package is not a dependency here: it
 * brings 70 MB of native code, which only firmware that already has it wants. Written down from its version 1.28.0.
 */
import { createRequire } from 'node:module';
import path from 'node:path';

export interface AwsIotDeviceSdk {
  readonly mqtt5: { readonly Mqtt5Client: new (configuration: unknown) => Mqtt5Client };
  readonly iot: {
    readonly AwsIotMqtt5ClientConfigBuilder: {
      newDirectMqttBuilderWithMtlsFromMemory(hostName: string, certificatePem: string, privateKeyPem: string): Mqtt5ConfigurationBuilder;
    };
  };
}

export interface Mqtt5ConfigurationBuilder {
  withCertificateAuthority(pem: string): unknown;
  withPort(port: number): unknown;
  withConnectProperties(properties: { readonly clientId: string; readonly keepAliveIntervalSeconds: number }): unknown;
  withConnackTimeoutMs(ms: number): unknown;
  build(): unknown;
}

export interface Mqtt5Client {
  on(
    event: 'messageReceived',
    listener: (event: { readonly message: { readonly topicName: string; readonly payload?: unknown } }) => void,
  ): unknown;
  on(event: 'connectionSuccess', listener: () => void): unknown;
  on(event: 'connectionFailure', listener: (event: { readonly error: Error & { readonly error_name?: string } }) => void): unknown;
  on(event: 'disconnection', listener: (event: { readonly error: Error }) => void): unknown;
  on(event: 'stopped', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  start(): void;
  stop(): void;
  close(): void;
  subscribe(packet: {
    readonly subscriptions: readonly { readonly topicFilter: string; readonly qos: number }[];
  }): Promise<{ readonly reasonCodes: readonly number[] }>;
  publish(packet: {
    readonly topicName: string;
    readonly qos: number;
    readonly payload: string;
  }): Promise<{ readonly reasonCode?: number } | undefined>;
}

/** The SDK as it is installed in the project that runs the agent. Throws Node's own error where it is not. */
export function loadAwsIotDeviceSdk(projectDirectory: string): AwsIotDeviceSdk {
  return createRequire(path.join(path.resolve(projectDirectory), 'package.json'))('aws-iot-device-sdk-v2') as AwsIotDeviceSdk;
}
