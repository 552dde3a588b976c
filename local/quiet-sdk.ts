// The SDK's notice that Node 20 will be dropped in 2027 is for us, who choose the versions, and not for a newcomer at the desk.
// Imported first, before any SDK client.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
