using System.Reflection;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            protected internal virtual Module _to(Device device, ScalarType dtype, bool non_blocking)
            {
                RequireFloat(dtype);
                InitializeDevice(device);
                _toEpilog(dtype, device, non_blocking);
                return this;
            }

            protected internal virtual Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
            {
                InitializeDeviceType(deviceType);
                _toEpilog(null, new Device(deviceType, deviceIndex), non_blocking);
                return this;
            }

            protected internal virtual Module _to(ScalarType dtype, bool non_blocking)
            {
                RequireFloat(dtype);
                _toEpilog(dtype, null, non_blocking);
                return this;
            }

            public Module _to(Tensor other, bool non_blocking)
            {
                _to(other.dtype, non_blocking);
                return _to(other.device_type, other.device_index, non_blocking);
            }

            /// <summary>Replaces this module's floating-point tensors, in the registry and in the field or property of that name, then its children's.</summary>
            protected virtual void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
            {
                foreach ((_, Module child) in named_children())
                {
                    if (device is null) child._to(dtype!.Value, non_blocking);
                    else if (dtype is null) child._to(device.type, device.index, non_blocking);
                    else child._to(device, dtype.Value, non_blocking);
                }

                foreach ((string name, Modules.Parameter parameter) in named_parameters(false).ToArray())
                {
                    if (!ReplaceParameter(dtype, device, parameter, out Modules.Parameter? replacement)) continue;
                    if (Assign(name, replacement!)) continue;
                    parameter.Dispose();
                    ConditionallyRegisterParameter(name, replacement);
                }

                foreach ((string name, (Tensor buffer, bool persistent)) in _internal_buffers.ToArray())
                {
                    if (!ReplaceBuffer(dtype, device, buffer, out Tensor? replacement)) continue;
                    if (!Assign(name, replacement!)) ConditionallyRegisterBuffer(name, replacement, persistent);
                }
            }

            protected static bool ReplaceBuffer(ScalarType? dtype, Device? device, Tensor buffer, out Tensor? result)
            {
                result = null;
                if (!Changes(dtype, device, buffer)) return false;
                result = buffer.to(Target(dtype, buffer), device ?? buffer.device, disposeAfter: true).DetachFromDisposeScope();
                return true;
            }

            protected static bool ReplaceParameter(ScalarType? dtype, Device? device, Modules.Parameter param, out Modules.Parameter? p)
            {
                p = null;
                if (!Changes(dtype, device, param)) return false;
                using IDisposable silent = no_grad();
                ScalarType type = Target(dtype, param);
                p = new Modules.Parameter(param.to(type, device ?? param.device), param.requires_grad);
                p.DetachFromDisposeScope();
                using Tensor? gradient = param.grad;
                if (gradient is null) return true;
                using Tensor moved = gradient.to(type, device ?? param.device);
                p.grad = moved;
                return true;
            }

            // True when a property took the value over; its setter then does the rest. A field is set here.
            private bool Assign(string name, Tensor value)
            {
                PropertyInfo? property = GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance);
                if (property is { CanWrite: true })
                {
                    property.SetValue(this, value);
                    return true;
                }

                Fields(GetType()).FirstOrDefault(field => ComponentName(field) == name)?.SetValue(this, value);
                return false;
            }

            private static bool Changes(ScalarType? dtype, Device? device, Tensor tensor) =>
                Target(dtype, tensor) != tensor.dtype || (device is not null && device.type != tensor.device_type);

            // Whole numbers (token ids, masks) keep their type.
            private static ScalarType Target(ScalarType? dtype, Tensor tensor) => tensor.is_floating_point() ? dtype ?? tensor.dtype : tensor.dtype;

            private static void RequireFloat(ScalarType dtype)
            {
                if (!is_floating_point(dtype)) throw new ArgumentException($"nn.Module.to only accepts floating point types, but got {dtype}.");
            }
        }
    }

}
