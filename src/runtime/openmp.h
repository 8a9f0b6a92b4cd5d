#pragma once

namespace torch_tensorrt::runtime {

/// PyTorch's OpenMP threads spin for milliseconds after each op in case another one comes. Where an
/// engine runs in between, they take the cores that its threads need. After this call they sleep
/// instead, for the rest of the process: once, and only where PyTorch uses GNU's libgomp and the
/// user has set neither GOMP_SPINCOUNT nor OMP_WAIT_POLICY.
void calm_openmp();

}  // namespace torch_tensorrt::runtime
