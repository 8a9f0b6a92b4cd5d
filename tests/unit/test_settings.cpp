#include "core/settings.h"

#include "core/error.h"
#include "harness.h"

namespace torch_tensorrt::core {
namespace {

SettingValue number(std::int64_t value) { return value; }
SettingValue string(std::string value) { return value; }
SettingValue strings(Strings values) { return values; }

ErrorKind kind_of(std::string_view name, const SettingValue& value) {
  try {
    Settings settings;
    set_setting(settings, name, value);
  } catch (const Error& error) {
    return error.kind();
  }
  throw harness::Failure("no error");
}

TEST(settings_table_lists_every_setting_with_its_default) {
  CHECK_EQ(setting_table().front().name, "engine");
  CHECK_EQ(setting_table().front().default_text, "auto");
  const Settings defaults;
  for (const SettingInfo& info : setting_table()) {
    CHECK(!info.doc.empty());
    Settings copy;
    set_setting(copy, info.name, get_setting(defaults, info.name));
    CHECK(get_setting(copy, info.name) == get_setting(defaults, info.name));
  }
}

TEST(settings_take_values_of_their_kind) {
  Settings settings;
  set_setting(settings, "min_block_size", number(7));
  set_setting(settings, "portable", false);
  set_setting(settings, "capability", string("DLA_Standalone"));
  set_setting(settings, "torch_executed_ops", strings({"aten::relu", "aten::gelu"}));
  set_setting(settings, "torch_executed_modules", string("torch.nn.Linear"));
  CHECK_EQ(settings.min_block_size, 7);
  CHECK(!settings.portable);
  CHECK_EQ(settings.capability, "dla_standalone");
  CHECK_EQ(settings.torch_executed_ops, Strings{"aten::relu", "aten::gelu"});
  CHECK_EQ(settings.torch_executed_modules, Strings{"torch.nn.Linear"});
}

TEST(settings_know_every_spelling_of_a_precision) {
  Settings settings;
  for (const char* name : {"half", "fp16", "f16", "float16", "Half"}) {
    set_setting(settings, "enabled_precisions", string(name));
    CHECK(settings.enabled_precisions == Precisions{DType::f32, DType::f16});
  }
  set_setting(settings, "enabled_precisions", strings({"int8", "bfloat16", "float"}));
  CHECK(settings.enabled_precisions == Precisions{DType::f32, DType::bf16, DType::i8});
  CHECK_THROWS(set_setting(settings, "enabled_precisions", strings({"f17"})),
               "setting 'enabled_precisions' contains 'f17', expected a set of f32");
}

TEST(settings_name_the_nearest_of_an_unknown_name) {
  Settings settings;
  CHECK_THROWS(set_setting(settings, "min_blok_size", number(3)),
               "unknown setting 'min_blok_size'; did you mean 'min_block_size'?");
  CHECK_THROWS(set_setting(settings, "zebra", number(3)),
               "unknown setting 'zebra'; settings are engine");
  CHECK(kind_of("min_blok_size", number(3)) == ErrorKind::unknown_setting);
  CHECK_THROWS(get_setting(settings, "portabel"), "did you mean 'portable'?");
}

TEST(settings_refuse_values_that_do_not_fit) {
  Settings settings;
  CHECK_THROWS(set_setting(settings, "min_block_size", number(0)),
               "setting 'min_block_size' is 0, expected an int of at least 1");
  CHECK_THROWS(set_setting(settings, "optimization_level", number(6)),
               "setting 'optimization_level' is 6, expected an int in -1..5");
  CHECK_THROWS(set_setting(settings, "min_block_size", string("3")),
               "setting 'min_block_size' is '3', expected an int");
  CHECK_THROWS(set_setting(settings, "min_block_size", true),
               "setting 'min_block_size' is true, expected an int");
  CHECK_THROWS(set_setting(settings, "portable", number(1)),
               "setting 'portable' is 1, expected a bool");
  CHECK_THROWS(set_setting(settings, "torch_executed_ops", number(1)), "expected a list of str");
  CHECK_THROWS(set_setting(settings, "device_type", string("tpu")),
               "setting 'device_type' is 'tpu', expected one of auto, cpu, gpu, dla");
  CHECK(kind_of("portable", number(1)) == ErrorKind::invalid_argument);
}

TEST(nearest_name_needs_to_be_near) {
  CHECK_EQ(nearest_name("relu", {"gelu", "softmax"}), "gelu");
  CHECK_EQ(nearest_name("conv", {"softmax"}), "");
}

}  // namespace
}  // namespace torch_tensorrt::core
